"""What late rows cost: the study, its table and its folder."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.look_up import listed_space
from nas_ray.reproduce.measures import SHORT, TEST
from nas_ray.reproduce.runs import run_seed
from nas_ray.reproduce.staleness import kept as kept_runs
from nas_ray.reproduce.staleness import run as study
from nas_ray.reproduce.staleness.args import StalenessArgs
from nas_ray.reproduce.staleness.picture import mean_course
from nas_ray.reproduce.staleness.searching import Found, Task, changes, search
from nas_ray.reproduce.staleness.table import baselines, condition, table_of
from nas_ray.reproduce.tables import Setting
from nas_ray.searchers import RegularizedEvolution, Single
from nas_ray.searchers.late_rows import LateRows
from nas_ray.spaces import NatsTss
from tests.commands.next_line import next_commands
from tests.reproduce.synthetic import SPACE, known, write_files

QUIET = Console(quiet=True)
TINY: dict[str, Any] = {
    "searchers": ("rea,population=4,sample=2",), "workers": ("1", "3"), "late": ("5",), "seeds": 4,
    "seconds": 2_000.0, "resamples": 20, "num_cpus": 1, "by": SHORT,
}  # fmt: skip


@pytest.fixture(autouse=True)
def light(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are drawn, and tables of a benchmark read, where that is what is tested."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(study, "draw_study", lambda *_: None)


@pytest.fixture
def drawn() -> None:
    """Marks a test that looks at the picture."""


@pytest.fixture(scope="module")
def world() -> Known:
    return known()


@pytest.fixture
def looked_up(world: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark is not read again."""
    monkeypatch.setattr(study, "know", lambda *_, **__: world)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tables")
    write_files(str(folder))
    return str(folder / "nats.parquet")


def args(**changes: Any) -> StalenessArgs:
    make: Callable[..., StalenessArgs] = StalenessArgs
    return make(**{**TINY, **changes})


def made(out: Path, table: str, console: Console = QUIET, **changes: Any) -> pd.DataFrame:
    assert study.run(args(benchmark=table, out=out, **changes), console) == 0
    return pd.read_csv(out / "staleness.csv")


def test_a_row_for_every_searcher_and_lateness(table: str) -> None:
    rows = table_of(args(benchmark=table, searchers=("rea,local_search", "rea,sample=3")), NatsTss())
    assert [row.title for row in rows.settings][:6] == [
        *("rea, 1 worker", "rea, 3 workers", "rea, 5 asks late"),
        *("local_search, 1 worker", "local_search, 3 workers", "local_search, 5 asks late"),
    ]
    assert [row.title for row in rows.settings[6::3]] == ["rea,sample=3, 1 worker", "random_search, 1 worker"]
    assert [(row.workers, row.late, row.pooled) for row in rows.settings[:3]] == [
        (1, 0, True), (3, 0, True), (1, 5, True)
    ]  # fmt: skip
    assert rows.settings[6].options == {"sample": 3}
    assert {row.searched_on for row in rows.settings} == {"cifar10"}
    assert baselines(rows)["rea, 5 asks late"] == baselines(rows)["rea, 3 workers"] == "rea, 1 worker"
    assert "rea, 1 worker" not in baselines(rows)


def test_what_the_seconds_are_of(table: str) -> None:
    both = {budget: table_of(args(benchmark=table, budget=budget), NatsTss()) for budget in ("work", "wall")}
    assert "2,000 s of all workers together" in both["work"].title
    assert "2,000 s of the clock" in both["wall"].title
    counts = {
        budget: {
            row.workers: search(known(), Task(row, (0,), ("cifar10",))).answers[0][6:]
            for row in rows.settings[3:5]
        }
        for budget, rows in both.items()
    }  # evaluations of 100 to 106 s by random search, the clock, and the work
    assert counts["work"][1] == counts["wall"][1]
    assert counts["work"][3][0] in (19, 20)
    assert 2_000 / 3 < counts["work"][3][1] < 2_000 / 3 + 210
    assert counts["wall"][3][0] in range(57, 61)
    assert 2_000 <= counts["wall"][3][1] < 2_110


def test_one_worker_is_what_other_tables_have() -> None:
    """The same run by the code of `compare-searchers`, on each dataset, and the course that leads to it."""
    world = known()
    row = Setting("rea, 1 worker", "rea", SHORT, {"population": 4, "sample": 2}, seconds=2_000.0, pooled=True)
    ours = search(world, Task(row, (0, 1), tuple(DATASETS)))
    for seed in (0, 1):
        theirs = run_seed(world, Setting("", "rea", SHORT, row.options, seconds=2_000.0), seed).answers
        own = [line for line in ours.answers if line[1] == seed]
        columns = theirs[["dataset", "arch", "accuracy", "evaluations", "seconds"]].to_numpy().tolist()
        assert [[*line[2:5], *line[6:8]] for line in own] == [pytest.approx(line) for line in columns]
        for line in own:
            course = [one for one in ours.courses if one[:3] == line[:3]]
            assert course[-1][3:] == (line[6], line[7], line[4])
            accuracy = world.accuracy[line[2], TEST]
            assert line[5] == 1 + (accuracy > line[4]).sum()


def test_late_rows_are_those_of_a_late_searcher() -> None:
    world = known()
    row = Setting("", "rea", SHORT, {"population": 4, "sample": 2}, evaluations=40, late=7)
    (line,) = search(world, Task(row, (3,), ("cifar10",))).answers
    inner = RegularizedEvolution(SPACE, fitness=Single(("valid_acc",)), seed=3, population=4, sample=2)
    rows = simulate(LateRows(inner, 7), world.evaluator(SHORT, "cifar10", 3), num_samples=40)
    best = rows.loc[rows["valid_acc"].idxmax(), "arch"]
    assert line[3] == best
    assert line[4] == world.accuracy["cifar10", TEST][SPACE.index(best)]


def test_only_changes_of_an_answer_are_kept() -> None:
    course = pd.DataFrame({"evaluation": range(1, 8), "arch": [None, None, "a", "a", "b", "b", "b"]})
    assert changes(course)["evaluation"].tolist() == [1, 3, 5, 7]
    assert changes(course[:1])["evaluation"].tolist() == [1]


def test_the_study_and_its_folder(drawn: None, table: str, tmp_path: Path) -> None:
    said = io.StringIO()
    lines = made(tmp_path / "out", table, Console(file=said, width=220), seeds=8)
    assert len(lines) == 2 * 3 * 3
    assert set(lines["runs"]) == {8}
    random = lines[lines["searcher"] == "random_search"].set_index(["workers", "late", "dataset"])
    for dataset in DATASETS:  # it never looks at a row, so it cannot be late
        same = [random.loc[(*key, dataset)] for key in ((1, 0), (3, 0), (1, 5))]
        assert len({one["mean"] for one in same}) == len({one["evaluations"] for one in same}) == 1
        assert same[1]["seconds"] < 0.45 * same[0]["seconds"] == 0.45 * same[2]["seconds"]
    runs = pd.read_parquet(tmp_path / "out" / "staleness-runs.parquet")
    own = runs[(runs["setting"] == "rea,population=4,sample=2, 3 workers") & (runs["dataset"] == "cifar100")]
    line = lines[(lines["workers"] == 3) & (lines["dataset"] == "cifar100")].iloc[0]
    assert line["mean"] == pytest.approx(own["accuracy"].mean())
    assert line["std"] == pytest.approx(own["accuracy"].std())
    assert line["rank"] == own["rank"].median()
    assert line["low"] <= line["mean"] <= line["high"]
    text = said.getvalue()
    assert text.index("time       ") < text.index("staleness: searches by valid_acc_12 on cifar10")
    assert "2,000 s of all workers together" in text
    assert "Against the same searcher with the fewest workers" in text
    assert next_commands(text)[0].startswith("nas-ray compare-searchers rea,population=4,sample=2")
    for name, words in {"md": "| 5 asks late | ImageNet16-120 |", "tex": "3 workers & $"}.items():
        assert words in (tmp_path / "out" / f"staleness.{name}").read_text(encoding="utf-8")
    best = lines.loc[lines["dataset"] == "cifar100", "mean"].max()
    assert rf"$\mathbf{{{best:.2f}}} \pm " in (tmp_path / "out" / "staleness.tex").read_text(encoding="utf-8")
    against = pd.read_csv(tmp_path / "out" / "staleness-against.csv")
    assert len(against) == 2 * 2 * 3
    assert against.loc[against["setting"].str.startswith("random"), "difference"].eq(0).all()
    assert (tmp_path / "out" / "staleness.png").stat().st_size > 20_000


def files_of(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("staleness*.[cmt]*")}


def test_equal_seeds_give_equal_tables_and_nothing_is_made_twice(
    looked_up: None, table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "whole", table)
    tasks: list[Task] = []

    def counted(world: Any, task: Task) -> Found:
        tasks.append(task)
        if len(tasks) == 5:
            raise KeyboardInterrupt
        return search(world, task)

    monkeypatch.setattr(study, "search", counted)
    monkeypatch.setattr("nas_ray.reproduce.runs.CHUNK", 1)
    said = io.StringIO()
    cut = args(benchmark=table, out=tmp_path / "cut", seeds=3)
    assert study.run(cut, Console(file=said, width=200)) == 130
    assert "finished runs are kept" in said.getvalue()
    before = pd.read_parquet(tmp_path / "cut" / "staleness-runs.parquet")
    assert len(before) == 3 * (2 * 2 + 4)  # the first two of each searcher, and four more
    made(tmp_path / "cut", table)  # with another seed as well
    first = 1 + 2  # of each searcher, which are made apart
    assert len(tasks) == 5 + 6 * 4 - len(before) // 3 - first
    assert files_of(tmp_path / "whole") == files_of(tmp_path / "cut")
    monkeypatch.setattr(study, "search", None)
    monkeypatch.setattr(study, "foretold", None)
    made(tmp_path / "cut", table)
    assert files_of(tmp_path / "whole") == files_of(tmp_path / "cut")
    fewer = made(tmp_path / "cut", table, seeds=2, workers=("3",), late=("0",), dataset="cifar100")
    assert len(fewer) == 2
    assert set(fewer["runs"]) == {2}


def test_runs_of_another_protocol_stand_beside(looked_up: None, table: str, tmp_path: Path) -> None:
    lines = made(tmp_path / "one", table, seeds=2)
    other = made(tmp_path / "one", table, seeds=2, seconds=1_000.0)
    assert (other["evaluations"] < 0.6 * lines["evaluations"]).all()
    runs = pd.read_parquet(tmp_path / "one" / "staleness-runs.parquet")
    assert sorted(runs["protocol"].value_counts()) == [36, 36]
    pd.testing.assert_frame_equal(made(tmp_path / "one", table, seeds=2), lines)


@pytest.mark.slow(faster="test_results_do_not_depend_on_the_number_of_processes")
def test_two_processes_give_the_same(table: str, tmp_path: Path) -> None:
    made(tmp_path / "one", table)
    made(tmp_path / "two", table, num_cpus=2)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_what_is_found_is_written_now_and_then(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_runs, "EVERY_S", 0.0)
    folder = kept_runs.KeptRuns(tmp_path, "x", "protocol", ("cifar10",))
    row = Setting("random", "random_search", SHORT, evaluations=5)
    folder.add(search(known(), Task(row, (1,), ("cifar10",))))
    again = kept_runs.KeptRuns(tmp_path, "x", "protocol", ("cifar10",))
    assert again.missing([row], 3) == [(row, [0, 2])]
    assert kept_runs.KeptRuns(tmp_path, "x", "other", ("cifar10",)).missing([row], 1) == [(row, [0])]
    (tmp_path / "x-runs.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(UsageError, match=r"x-runs\.parquet must be the table that this command wrote"):
        kept_runs.KeptRuns(tmp_path, "x", "protocol", ("cifar10",))


def test_a_mean_course_by_hand() -> None:
    one = pd.DataFrame({"seed": 0, "evaluation": [1, 10, 100], "accuracy": [10.0, 20.0, 20.0]})
    two = pd.DataFrame({"seed": 1, "evaluation": [2, 50], "accuracy": [30.0, 50.0]})
    none = pd.DataFrame({"seed": 2, "evaluation": [5], "accuracy": [np.nan]})
    at, mean, half = mean_course(pd.concat([one, two, none]), "evaluation")
    assert (at[0], at[-1]) == (pytest.approx(2.0), 100.0)
    assert mean[0] == 20.0
    assert mean[at < 9.9].tolist() == [20.0] * int((at < 9.9).sum())
    assert set(mean[(at > 10.1) & (at < 49)]) == {25.0}
    assert mean[-1] == 35.0
    assert half[-1] == pytest.approx(1.96 * np.std([20.0, 50.0], ddof=1) / np.sqrt(2))


def test_a_score_knows_no_dataset(looked_up: None, table: str, tmp_path: Path) -> None:
    scores = Path(table).with_name("scores.parquet")
    lines = made(tmp_path / "out", table, by="naswot", scores_file=(scores,), seconds=30.0, seeds=2)
    assert set(lines["measure"]) == {"test_acc"}
    assert lines["evaluations"].between(20, 400).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"workers": ("1,0",)}, "--workers must be from 1 to 1,000,000, got 0."),
        ({"workers": ("two",)}, "--workers must be a whole number from 1 to 1,000,000, got 'two'."),
        ({"workers": ("",)}, "--workers must name at least one number, got none"),
        ({"late": ("-3",)}, "--late must be a whole number from 0 to 1,000,000, got '-3'."),
        ({"searchers": (" , ",)}, "A searcher must be named, got none"),
        ({"searchers": ("rea,reaa",)}, "Unknown searcher 'reaa'"),
        ({"searchers": ("rea,populaton=3",)}, "Did you mean 'population'?"),
        ({"searchers": ("rea", "rea")}, "Each searcher must be named once, got rea twice"),
        ({"seconds": None}, "A run must have an end, got neither --seconds nor --evaluations"),
        ({"seconds": None, "evaluations": 9, "budget": "wall"}, "--budget wall says what --seconds are"),
        ({"dataset": "mnist"}, "Unknown dataset 'mnist'"),
        ({"dataset": "own"}, "The dataset here must be one of cifar10, cifar100, ImageNet16-120, got 'own'"),
        ({"searched_on": "mnist"}, "Unknown dataset 'mnist'"),
        ({"space": "darts"}, "--space must be one whose archs can be listed"),
        ({"seeds": 1}, "--seeds must be from 2 to 1,000,000, got 1."),
    ],
)
def test_bad_input_is_one_sentence(change: dict[str, Any], said: str, table: str) -> None:
    given = args(benchmark=table, **change)
    with pytest.raises(UsageError) as error:
        table_of(given, listed_space(given.space))
    assert said in str(error.value)


def test_a_benchmark_of_another_space(table: str, tmp_path: Path) -> None:
    given = args(benchmark=table, out=tmp_path / "x", space="nats-tss@lr=0.1/0.2")
    with pytest.raises(
        UsageError, match="The benchmark table must hold all archs of the space, and those of"
    ):
        study.run(given, QUIET)
    assert not (tmp_path / "x").exists()


def test_lateness_in_words() -> None:
    assert [condition(*one) for one in ((1, 0), (8, 0), (1, 1), (1, 32))] == [
        *("1 worker", "8 workers", "1 ask late", "32 asks late")
    ]  # fmt: skip


@pytest.mark.data
@pytest.mark.slow(faster="test_the_study_and_its_folder")
def test_the_protocol_of_12000_seconds_on_the_real_table(data_dir: Path, tmp_path: Path) -> None:
    table = str(data_dir / "nats_tss.csv.gz")
    lines = made(tmp_path, table, seeds=2, seconds=12_000.0, workers=("1,8",), late=("0",))
    assert lines.loc[lines["dataset"] == "cifar10", "mean"].between(91, 94.38).all()
    assert lines["work"].between(12_000, 12_500).all()
    assert lines.loc[lines["workers"] == 8, "seconds"].between(1_500, 1_900).all()
