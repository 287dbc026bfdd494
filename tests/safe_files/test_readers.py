"""Every reader of tables made elsewhere takes the same files, and refuses the same cells."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks import TableBenchmark, open_benchmark
from nas_ray.best_arch.args import BestArgs
from nas_ray.best_arch.run import earlier_rows
from nas_ray.errors import UsageError
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.read_runs import read_runs
from nas_ray.reproduce.choose import stored
from nas_ray.reproduce.live import read_rows
from nas_ray.reproduce.look_up import score_sets
from nas_ray.reproduce.tables import Setting, Table
from nas_ray.runs.record import Record
from nas_ray.score_space.arch_list import wanted_archs
from nas_ray.score_space.chunk_store import open_store
from nas_ray.searchers.cheap_score import ScoreTable, cheap_score, scores_of
from nas_ray.searchers.fitness import Single
from nas_ray.spaces import NatsTss
from nas_ray.train.damage import read_curve
from tests.benchmarks.test_table import Five
from tests.report.runs import make_scored, make_search, search_rows

SPACE = NatsTss()
ARCHS = list(SPACE)
NAME = "cifar10_test_acc_200"


SMALL = pd.DataFrame({"arch": list("edcba"), NAME: [55.5, 40.25, 33.0, 20.0, 1e1]})


@cache
def whole() -> pd.DataFrame:
    return pd.DataFrame({"arch": ARCHS, NAME: [50.0 + i % 40 for i in range(len(ARCHS))]})


def by_benchmark(path: Path) -> Any:
    benchmark = TableBenchmark(path, "cifar10", space=Five())
    return [benchmark.test_acc(arch) for arch in SMALL["arch"]]


def by_scores(path: Path) -> Any:
    return ScoreTable(path, NAME)(SMALL["arch"].tolist())


def by_text(path: Path) -> Any:
    return cheap_score(f"{path}:{NAME}", "area")(SMALL["arch"].tolist())


def by_list(path: Path) -> Any:
    assert wanted_archs(Five(), path, 0, seed=0) == (SMALL["arch"].tolist(), 0)
    return SMALL[NAME]


NUMBERS: dict[str, Callable[[Path], Any]] = {
    "benchmark": by_benchmark,
    "scores": by_scores,
    "proxy": by_text,
}
READERS = {**NUMBERS, "list of archs": by_list}


def by_choose(path: Path) -> Any:
    return stored(path, (NAME,), SPACE)[NAME]


def by_reproduce(path: Path) -> Any:
    table = Table("t", "t", "t", settings=(Setting("rea", "rea", NAME),))
    return score_sets([table], [path], SPACE)[0][NAME]


def by_open(path: Path) -> Any:
    benchmark = open_benchmark(str(path), "cifar10")
    return None if benchmark is None else benchmark.all_test_acc()


def as_text(frame: pd.DataFrame, **options: Any) -> str:
    return str(frame.to_csv(**{"index": False, **options}))


FORMS: dict[str, tuple[str, Callable[[Path, pd.DataFrame], Any]]] = {
    "csv": ("t.csv", lambda path, t: path.write_text(as_text(t))),
    "CSV": ("T.CSV", lambda path, t: path.write_text(as_text(t))),
    "CSV.GZ": ("T.CSV.GZ", lambda path, t: path.write_bytes(gzip.compress(as_text(t).encode()))),
    "a mark": ("t.csv", lambda path, t: path.write_text(as_text(t), encoding="utf-8-sig")),
    "UTF-16": ("t.csv", lambda path, t: path.write_text(as_text(t, sep="\t"), encoding="utf-16")),
    "CRLF": ("t.csv", lambda path, t: path.write_text(as_text(t, lineterminator="\r\n"))),
    "semicolons": ("t.csv", lambda path, t: path.write_text(as_text(t, sep=";"))),
    "tabs": ("t.tsv", lambda path, t: path.write_text(as_text(t, sep="\t"))),
    "quotes": ("t.csv", lambda path, t: path.write_text(as_text(t, quoting=1))),
    "an index": ("t.csv", lambda path, t: path.write_text(as_text(t, index=True))),
    "blanks": ("t.csv", lambda path, t: path.write_text(as_text(t.assign(arch=" " + t["arch"] + " ")))),
    "commas at the end": (
        "t.csv",
        lambda path, t: path.write_text(
            as_text(t).replace("\n", ",\n").replace(f"{NAME},\n", f"{NAME}\n", 1)
        ),
    ),
    "parquet": ("t.parquet", lambda path, t: t.to_parquet(path)),
    "PARQUET": ("T.PARQUET", lambda path, t: t.to_parquet(path)),
    "pq": ("t.pq", lambda path, t: t.to_parquet(path, compression="zstd")),
    "an index called arch": ("t.parquet", lambda path, t: t.set_index("arch").to_parquet(path)),
    "archs of a dictionary": ("t.parquet", lambda path, t: t.astype({"arch": "category"}).to_parquet(path)),
    "numbers as text": ("t.parquet", lambda path, t: t.astype({NAME: "string"}).to_parquet(path)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_reader_takes_the_same_files(form: str, tmp_path: Path) -> None:
    name, write = FORMS[form]
    write(tmp_path / name, SMALL)
    for title, read in READERS.items():
        np.testing.assert_array_equal(read(tmp_path / name), SMALL[NAME], err_msg=title)


def with_cell(frame: pd.DataFrame, cell: str, path: Path) -> None:
    """Writes `frame` with `cell` in row 4 of its numbers."""
    column = frame[NAME].astype(str)
    column[3] = cell
    frame = frame.assign(**{NAME: column})
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)


@pytest.mark.parametrize(
    "cell", ["1,200.0", "1'200.0", "\u22121.5", "#DIV/0!", "high", "50%", "True", "1e400"]
)
@pytest.mark.parametrize(("name", "place"), [("t.csv", "line 5"), ("t.parquet", "row 4")])
@pytest.mark.parametrize("reader", NUMBERS)
def test_every_reader_refuses_what_is_no_number(
    reader: str, name: str, place: str, cell: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    with_cell(SMALL, cell, path)
    must = "percentages from 0 to 100" if reader == "benchmark" else "numbers such as -1234.5 or 1e-3"
    assert refused(NUMBERS[reader], path) == (
        f"The column {NAME!r} of the table {path} must hold {must}, got "
        f"{cell if cell == '1e400' else repr(cell)} for b in {place}; correct the value."
    )


def test_every_command_refuses_what_is_no_number(tmp_path: Path) -> None:
    for read in (by_choose, by_reproduce, by_open):
        whole().to_csv(tmp_path / "t.CSV", index=False)
        np.testing.assert_array_equal(read(tmp_path / "t.CSV"), whole()[NAME])
        with_cell(whole(), "1,200.0", tmp_path / "t.csv")
        assert f"got '1,200.0' for {ARCHS[3]} in line 5; correct the value." in refused(
            read, tmp_path / "t.csv"
        )


def test_undefined_scores_are_worst_and_the_others_are_kept(tmp_path: Path) -> None:
    cells = ["1", "", "nan", "NaN", "inf", "-Infinity", "N/A", "null", " 2 "]
    (tmp_path / "t.csv").write_text("arch,x\n" + "".join(f"a{i},{cell}\n" for i, cell in enumerate(cells)))
    scores = scores_of(ScoreTable(tmp_path / "t.csv", "x"), [f"a{i}" for i in range(len(cells))])
    np.testing.assert_array_equal(scores, [1, *[-np.inf] * 7, 2])


def test_a_list_of_archs_in_a_text(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "archs").write_bytes(f"{ARCHS[5]}\r\n\r\n  {ARCHS[2]} \n{ARCHS[5]}".encode(encoding))
        assert wanted_archs(SPACE, tmp_path / "archs", 0, seed=0) == ([ARCHS[5], ARCHS[2]], 1)


def test_a_wrong_case_and_repeated_columns_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    SMALL.rename(columns={"arch": "Arch"}).to_csv(path, index=False)
    said = {
        "benchmark": f"must have the column 'arch' for this, and has Arch, {NAME}",
        "scores": f"Unknown column 'arch'. Did you mean 'Arch'? Known: Arch, {NAME}.",
        "list of archs": f"must have a column 'arch', and its columns are: Arch, {NAME}.",
    }
    for title, message in said.items():
        with pytest.raises(UsageError) as caught:
            READERS[title](path)
        assert message in str(caught.value)
    twice = as_text(SMALL).replace(f"arch,{NAME}", f"arch,{NAME},{NAME},arch", 1)
    path.write_text(twice)
    for title, read in READERS.items():
        with pytest.raises(
            UsageError, match=r"must have one column '\w+', got 2; rename or remove the others"
        ):
            read(path)
        assert title


def changed(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Returns `rows` with a text in row 3 of a column."""
    column = rows[name].astype(str)
    column[2] = "1,200"
    return rows.assign(**{name: column})


def refused(action: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(UsageError) as caught:
        action(*args)
    return str(caught.value)


@pytest.mark.parametrize("name", ["naswot", "fitness", "finished_at", "seconds", "test_acc"])
def test_a_report_of_a_search(name: str, tmp_path: Path) -> None:
    rows = search_rows(5)
    folder = make_search(tmp_path / "run", rows)
    changed(rows, name).to_parquet(folder / "results.parquet")
    assert refused(read_runs, folder, Accuracies()) == (
        f"The column {name!r} of the table of {folder} must hold numbers such as -1234.5 or 1e-3, got "
        f"'1,200' for {rows['arch'][2]} in row 3; correct the value."
    )


def test_a_report_of_a_search_that_goes_on(tmp_path: Path) -> None:
    rows = search_rows(5)
    folder = make_search(tmp_path / "run", changed(rows, "naswot"), status="interrupted")
    assert "'naswot'" in refused(read_runs, folder, Accuracies())


@pytest.mark.parametrize("name", ["naswot", "synflow"])
def test_a_report_of_a_scored_space(name: str, tmp_path: Path) -> None:
    rows = search_rows(5)[["arch", "naswot", "synflow", "error"]]
    folder = make_scored(tmp_path / "run", rows)
    changed(rows, name).to_parquet(folder / "scores.parquet")
    assert refused(read_runs, folder, Accuracies()) == (
        f"The column {name!r} of the table {folder}/scores.parquet must hold numbers such as -1234.5 or "
        f"1e-3, got '1,200' for {rows['arch'][2]} in row 3; correct the value."
    )
    rows.astype({name: str}).to_parquet(folder / "scores.parquet")
    (run,) = read_runs(folder, Accuracies("none"))
    assert run.scores == ("naswot", "synflow")
    assert run.rows[name].tolist() == rows[name].tolist()


def test_rows_of_live_runs(tmp_path: Path) -> None:
    path, rows = tmp_path / "0.parquet", search_rows(5)
    rows.to_parquet(path)
    held = read_rows(path)
    assert held is not None
    pd.testing.assert_frame_equal(held, rows, check_dtype=False)
    changed(rows, "naswot").to_parquet(path)
    assert f"'naswot' of the table {path} must hold numbers" in refused(read_rows, path)
    path.write_bytes(b"PAR1")
    assert read_rows(path) is None


def test_earlier_runs_of_best_arch(tmp_path: Path) -> None:
    args = BestArgs(out=tmp_path, runs=3)
    Record(tmp_path, "best_arch", args).begin()
    rows = pd.DataFrame({"seed": [0, 1, 2], "arch": ARCHS[:3], "score": [1.0, 2.0, 3.0]})
    rows.to_parquet(tmp_path / "best.parquet")
    assert earlier_rows(tmp_path, args) == rows.to_dict("records")
    changed(rows, "score").to_parquet(tmp_path / "best.parquet")
    assert f"got '1,200' for {ARCHS[2]} in row 3; correct" in refused(earlier_rows, tmp_path, args)


def test_a_changed_chunk_says_what_is_wrong(tmp_path: Path) -> None:
    rows = pd.DataFrame({"arch": ARCHS[:3], "x": [1.0, 2.0, 3.0], "seconds": 0.0, "error": None})
    told: list[str] = []
    with open_store(tmp_path, {"experiment": "score_space"}, told.append) as store:
        store.add(0, rows)
    (path,) = (tmp_path / "chunks").glob("*.parquet")
    rows.astype({"x": str}).to_parquet(path)  # the same numbers
    with open_store(tmp_path, {"experiment": "score_space"}, told.append) as store:
        assert store.table(ARCHS[:3], ["x"])["x"].tolist() == [1, 2, 3]
    assert told == []
    changed(rows, "x").to_parquet(path)
    with open_store(tmp_path, {"experiment": "score_space"}, told.append) as store:
        assert store.missing(ARCHS[:3], {"x": ["x"]}) == dict.fromkeys(ARCHS[:3], ("x",))
    assert len(told) == 1
    assert f"got '1,200' for {ARCHS[2]} in row 3" in told[0]


def test_a_changed_curve(tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text("epoch,valid_acc,seconds\n1,50,1\n2,,1\n3,5O,1\n")
    text = refused(read_curve, tmp_path)
    assert "The column 'valid_acc' of the table" in text
    assert "got '5O' for line 4" in text


def test_a_row_of_a_journal_that_was_changed() -> None:
    rows = [{"arch": "a", "x": 1}, {"arch": "b", "x": "1,200"}]
    assert refused(Single(("x",)), rows) == "The score x of b must be a number, got '1,200'; correct the row."
    np.testing.assert_array_equal(Single(("x",))([{"x": "1.5"}, {"x": None}, {}]), [1.5, -np.inf, -np.inf])


def test_a_function_that_returns_text() -> None:
    assert scores_of(lambda archs: ["1.5", "nan"], ["a", "b"]).tolist() == [1.5, -np.inf]  # type: ignore[list-item]
    assert (
        refused(scores_of, lambda archs: ["1_0"], ["a"])
        == "A proxy must return numbers, got '1_0'; return floats."
    )


def test_a_table_of_archs_that_look_like_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("arch,x\n07,1\nNA,2\nnull,3\n")
    assert ScoreTable(tmp_path / "t.csv", "x")(["07", "null", "NA"]) == [1, 3, 2]
