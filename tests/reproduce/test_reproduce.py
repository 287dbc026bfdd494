from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from nas_ray.commands import stored
from nas_ray.errors import UsageError
from nas_ray.process.started import Started, started_as
from nas_ray.reproduce.args import ReproduceArgs
from nas_ray.reproduce.catalogue import TABLES, chosen
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.lines import COLUMNS
from nas_ray.reproduce.run import all_runs, reproduce, run
from nas_ray.reproduce.runs import runner
from nas_ray.reproduce.skip_counts import share_of_top
from nas_ray.reproduce.tables import Table
from nas_ray.terminal.ranges import HERE
from tests.night import by_day
from tests.reproduce.synthetic import CONVOLUTIONS, NOISE, benchmark_table, known, score_table

QUIET = Console(quiet=True)
DAILY = ("naswot", "freerea", "skips-rules")
"""Tables that are run on the real benchmark by day, one of each source."""

SCRIPT = Path(__file__).parents[2] / "experiments" / "reproduce.py"


def shortened(table: Table) -> Table:
    """The table with tiny budgets, so that its definition is tested and not the patience of the reader."""
    rows = tuple(
        dataclasses.replace(
            row,
            evaluations=None if row.evaluations is None else min(row.evaluations, 70),
            seconds=None if row.seconds is None else row.seconds / 3,
        )
        for row in table.settings
    )
    return dataclasses.replace(table, settings=rows)


def made(table: Table, world: Known, folder: Path) -> pd.DataFrame:
    args = ReproduceArgs(table=table.name, seeds=2, resamples=10)
    with runner(world, 1) as make:
        return reproduce(table, world, make, args, folder, folder)[0]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_runs_on_a_synthetic_world(name: str, tmp_path: Path) -> None:
    table = shortened(TABLES[name])
    lines = made(table, known(), tmp_path)
    assert tuple(lines) == COLUMNS
    assert lines["mean"].between(0, 100).all()
    if table.settings:
        assert set(lines["setting"]) == {row.title for row in table.settings}
        assert set(lines["runs"]) == {2}
        figures = sum(3 * max(1, len(row.published)) for row in table.settings)
        assert len(lines) == figures
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_titles_are_unique_and_random_search_is_in_every_picture() -> None:
    for table in TABLES.values():
        titles = [row.title for row in table.settings]
        assert len(set(titles)) == len(titles)
        if table.settings:
            assert any(row.searcher == "random_search" and row.drawn for row in table.settings), table.name


@pytest.mark.data
def test_the_published_skip_counts(data_dir: Path, tmp_path: Path) -> None:
    args = ReproduceArgs(benchmark=str(data_dir / "nats_tss.csv.gz"), out=tmp_path, num_cpus=1)
    assert run(args, chosen("skips-counts"), QUIET) == 0
    lines = pd.read_csv(tmp_path / "skips-counts.csv")
    told = lines.dropna(subset="published_mean")
    assert len(told) == 7 + 3
    assert set(told["verdict"]) == {"agrees"}
    assert (told["runs"] == told["published_runs"]).all()


@pytest.mark.data
def test_the_protocol_of_12000_seconds(data_dir: Path, tmp_path: Path) -> None:
    args = ReproduceArgs(benchmark=str(data_dir / "nats_tss.csv.gz"), out=tmp_path, num_cpus=1, seeds=2)
    assert run(args, chosen("12000s"), QUIET) == 0
    lines = pd.read_csv(tmp_path / "12000s.csv")
    assert lines["seconds"].between(12_000, 12_500).all()
    assert lines["evaluations"].between(60, 200).all()
    assert lines.loc[lines["dataset"] == "cifar10", "mean"].between(91, 94.38).all()


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    by_day(
        [name for name in TABLES if name not in ("skips-counts", "12000s")],
        DAILY,
        faster="test_every_table_runs_on_a_synthetic_world",
    ),
)
def test_every_table_runs_on_the_real_benchmark(name: str, data_dir: Path, tmp_path: Path) -> None:
    score_table().to_parquet(tmp_path / "scores.parquet")
    args = ReproduceArgs(
        benchmark=str(data_dir / "nats_tss.csv.gz"),
        scores_file=(tmp_path / "scores.parquet",),
        out=tmp_path,
        num_cpus=1,
        seeds=2,
        resamples=10,
    )
    assert run(args, [shortened(TABLES[name])], QUIET) == 0
    text = (tmp_path / f"{name}.md").read_text(encoding="utf-8")
    assert TABLES[name].source in text
    assert text.count("\n| ") == len(pd.read_csv(tmp_path / f"{name}.csv")) + 1


def test_a_folder_from_files(tmp_path: Path) -> None:
    benchmark_table().to_csv(tmp_path / "nats.csv", index=False)
    score_table().to_csv(tmp_path / "scores.csv", index=False)
    args = ReproduceArgs(
        benchmark=str(tmp_path / "nats.csv"),
        scores_file=(tmp_path / "scores.csv",),
        out=tmp_path / "out",
        seeds=3,
        num_cpus=1,
    )
    assert run(args, [shortened(TABLES["freerea"])], QUIET) == 0
    runs = pd.read_parquet(tmp_path / "out" / "freerea-runs.parquet")
    lines = pd.read_csv(tmp_path / "out" / "freerea.csv")
    ours = runs[(runs["setting"] == "FreeREA") & (runs["dataset"] == "cifar10")]["accuracy"]
    line = lines[(lines["setting"] == "FreeREA") & (lines["dataset"] == "cifar10")].iloc[0]
    assert (line["mean"], line["std"], line["runs"]) == pytest.approx((ours.mean(), ours.std(), 3))
    assert "0.2 seconds are charged" in (tmp_path / "out" / "freerea.md").read_text(encoding="utf-8")
    tex = (tmp_path / "out" / "freerea.tex").read_text(encoding="utf-8").splitlines()
    (place,) = (number for number, text in enumerate(tex) if text.startswith("FreeREA & "))
    assert f"{line['mean']:.2f}" in tex[place]
    assert f"[{line['low']:.2f}, {line['high']:.2f}]" in tex[place + 1]
    assert (
        rf"\quad published & ${line['published_mean']:.2f} \pm {line['published_std']:.2f}$" in tex[place + 2]
    )


def test_equal_accuracies_at_the_100th_place_leave_a_range() -> None:
    accuracy = CONVOLUTIONS * 0 + 50
    accuracy[:98] = 90
    accuracy[98:102] = 80  # four archs for two places
    members = accuracy > 95
    members[:90] = True
    members[98] = True
    found = share_of_top(accuracy, members)
    assert (found.low, found.mean, found.high) == (90, 90.5, 91)
    members[98:101] = True
    found = share_of_top(accuracy, members)
    assert (found.low, found.mean, found.high) == (91, 91.5, 92)
    assert share_of_top(NOISE, NOISE >= -1).low == 100


def test_the_list_names_every_table(capsys: pytest.CaptureFixture[str]) -> None:
    with started_as(Started(("nas-ray", "reproduce"), ("--list",))):
        assert stored.reproduce("") == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()] == list(TABLES)


def message(args: ReproduceArgs, name: str) -> str:
    with pytest.raises(UsageError) as caught:
        run(args, chosen(name), QUIET)
    return str(caught.value)


def test_unknown_table_with_the_nearest_match() -> None:
    said = message(ReproduceArgs(), "skip-rules")
    assert said.startswith("Unknown table 'skip-rules'. Did you mean 'skips-rules'? Known: 12000s, all, ")
    assert message(ReproduceArgs(), "") == (
        "A table must be named, got none; --list shows them, and all runs all."
    )


def test_numbers_out_of_range() -> None:
    assert message(ReproduceArgs(seeds=1), "naswot") == "--seeds must be from 2 to 1,000,000, got 1."
    assert message(ReproduceArgs(num_cpus=0), "naswot") == f"--num-cpus must be {HERE}, got 0."
    said = message(ReproduceArgs(score_seconds=0), "naswot")
    assert said == "--score-seconds must be above 0 and at most 1,000,000,000, got 0."


def test_missing_scores_file_and_column(tmp_path: Path) -> None:
    assert message(ReproduceArgs(benchmark="nb201"), "naswot") == (
        "The table naswot needs stored scores (naswot), got no --scores-file; give the one that "
        "nas-ray score-space writes."
    )
    missing = tmp_path / "no.parquet"
    said = message(ReproduceArgs(scores_file=(missing,)), "naswot")
    assert said.startswith(f"The table of scores must be a readable CSV or Parquet file, got {missing} (")
    path = tmp_path / "scores.csv"
    score_table().drop(columns="synflow").to_csv(path, index=False)
    said = message(ReproduceArgs(scores_file=(path,)), "skips-rea-synflow")
    assert said == (
        f"The table {path}: Unknown column 'synflow'. Did you mean 'logsynflow'? Known: arch, lcmnas, "
        "logsynflow, naswot, skip."
    )
    benchmark_table()[:0].to_csv(tmp_path / "empty.csv", index=False)
    assert "empty.csv" in message(ReproduceArgs(benchmark=str(tmp_path / "empty.csv")), "12000s")


def test_a_benchmark_without_accuracy() -> None:
    assert message(ReproduceArgs(benchmark="none"), "12000s") == (
        "A table needs the accuracy of every arch, which --benchmark none does not list; export it with "
        "nas-ray export-nats and give the file."
    )


def test_progress_counts_every_run() -> None:
    table = shortened(TABLES["naswot"])
    with runner(known(), 1) as make:
        all_runs(table, make, 2, runs := {})
    assert {title: len(part.answers) for title, part in runs.items()} == {
        row.title: 6 for row in table.settings
    }
