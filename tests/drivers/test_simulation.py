"""Searches in this process: the simulated clock and its workers."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nas_ray.drivers.recorded import text_of
from nas_ray.drivers.simulation import duration, simulate
from nas_ray.errors import UsageError
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.read_runs import read_runs
from nas_ray.runs.folder import read_run
from nas_ray.runs.journal import read_journal
from nas_ray.searchers import (
    ArchSearcher,
    LogRankSum,
    Mixed,
    MixedRanks,
    MixedRaw,
    NormalisedSum,
    RandomSearch,
    RankSum,
    RegularizedEvolution,
    Row,
    Single,
    parse_fitness,
)
from nas_ray.searchers.given import GivenArchs
from nas_ray.searchers.in_flight import MOST_WAITING
from nas_ray.spaces import NatsTss, SearchSpace
from nas_ray.spaces.filtered import FilteredSpace

SPACE = NatsTss()
ARCHS = SPACE.archs[:6]
SECONDS = dict(zip(ARCHS, (3.0, 1.0, 1.0, 5.0, 1.0, 2.0), strict=True))
FITNESS = Single(("score",))


def evaluate(arch: str, report: Callable[[Row], None]) -> None:
    report({"score": float(SPACE.index(arch)), "seconds": SECONDS.get(arch, 1.0), "error": None})


def given() -> ArchSearcher:
    return GivenArchs(SPACE, fitness=FITNESS, archs=ARCHS)


def test_two_workers_finish_in_the_order_of_their_ends() -> None:
    table = simulate(given(), evaluate, workers=2)
    # at 0: 0 and 1 start; at 1: 1 ends, 2 starts; at 2: 2 ends, 3 starts; at 3: 0 ends, 4 starts;
    # at 4: 4 ends, 5 starts; at 6: 5 ends; at 7: 3 ends
    assert table["arch"].tolist() == [ARCHS[i] for i in (1, 2, 0, 4, 5, 3)]
    assert table["finished_at"].tolist() == [1, 2, 3, 4, 6, 7]


def test_one_worker_ends_after_the_sum_of_all_seconds() -> None:
    table = simulate(given(), evaluate)
    assert table["arch"].tolist() == list(ARCHS)
    assert table["finished_at"].tolist() == [3, 4, 5, 10, 11, 13]


def test_what_is_under_way_at_the_limit_is_finished_and_nothing_starts_after_it() -> None:
    table = simulate(given(), evaluate, workers=2, seconds=2.0)
    assert table["arch"].tolist() == [ARCHS[i] for i in (1, 2, 0)]  # 3 would have started at 2


def test_more_workers_than_archs() -> None:
    table = simulate(given(), evaluate, workers=50)
    assert table["finished_at"].tolist() == sorted(SECONDS.values())


def test_a_search_with_several_workers_learns_late() -> None:
    """The first children come from a population that lacks what is still under way."""

    def search(workers: int) -> list[str]:
        made = RegularizedEvolution(SPACE, fitness=FITNESS, population=5, sample=2, seed=3)
        return simulate(made, evaluate, num_samples=60, workers=workers)["arch"].tolist()

    assert search(4) == search(4)
    assert search(4)[:4] == search(1)[:4]
    assert search(4) != search(1)


def test_seconds_that_are_no_duration_take_no_time() -> None:
    assert duration([{"seconds": float("nan")}, {"seconds": None}, {}, {"seconds": -1.0}]) == 0
    assert duration([{"seconds": 1.5}, {"seconds": 2.0}]) == 3.5


def test_at_least_one_worker() -> None:
    with pytest.raises(UsageError, match=r"workers must be a whole number of at least 1, got 0\."):
        simulate(given(), evaluate, workers=0)


def test_what_an_evaluator_raises_is_a_failed_row_and_no_row_is_lost() -> None:
    def breaks(arch: str, report: Callable[[Row], None]) -> None:
        if arch == ARCHS[1]:
            raise ZeroDivisionError("nothing to divide by")
        if arch == ARCHS[2]:
            raise SystemExit(3)
        evaluate(arch, report)

    table = simulate(given(), breaks)
    assert table["arch"].tolist() == list(ARCHS)
    assert table["error"].dropna().tolist() == ["ZeroDivisionError: nothing to divide by", "SystemExit: 3"]
    assert table["error_kind"].dropna().tolist() == ["raised", "raised"]
    assert table["score"].notna().sum() == 4


def test_archs_that_fail_together_are_tried_one_by_one() -> None:
    class Together:
        def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
            raise AssertionError("it is asked for several")

        def rows(self, archs: list[str]) -> list[Row]:
            if ARCHS[1] in archs:
                raise MemoryError
            return [{"score": 1.0, "seconds": 1.0} for _ in archs]

    table = simulate(given(), Together(), archs_per_trial=3)
    assert table.loc[table["error"].notna(), ["arch", "error", "error_kind"]].to_numpy().tolist() == [
        [ARCHS[1], "out of memory", "out_of_memory"]
    ]


def test_ctrl_c_ends_it() -> None:
    def interrupted(arch: str, report: Callable[[Row], None]) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        simulate(given(), interrupted)


class Settings(NatsTss):
    """Settings of a method that finds archs of another space."""

    found_in = NatsTss()

    def sample(self, rng: np.random.Generator) -> str:
        return f"toy,seed={rng.integers(1000)}"


@pytest.mark.parametrize("space", [Settings(), FilteredSpace(Settings(), lambda arch: "toy" in arch)])
def test_what_is_found_must_be_an_arch_of_its_space(space: SearchSpace) -> None:
    finds = iter([ARCHS[3], "elsewhere", ARCHS[4]])

    def one_shot(arch: str, report: Callable[[Row], None]) -> None:
        report({"score": 1.0, "seconds": 1.0, "found": next(finds)})

    table = simulate(RandomSearch(space, fitness=FITNESS), one_shot, num_samples=3)
    said = "the column 'found' of a row must be an arch of the space NatsTss, got 'elsewhere'"
    assert table["error"].dropna().tolist() == [said]
    assert table["found"].dropna().tolist() == [ARCHS[3], ARCHS[4]]
    assert table["score"].notna().tolist() == [True, False, True]


def test_a_folder_becomes_that_of_a_run(tmp_path: Path) -> None:
    def search(**options: Any) -> pd.DataFrame:
        made = RegularizedEvolution(SPACE, fitness=FITNESS, population=5, sample=2, seed=3)
        return simulate(made, evaluate, num_samples=12, workers=2, **options)

    table = search(folder=tmp_path / "run")
    assert table.columns[0] == "arch"
    pd.testing.assert_frame_equal(table, search())
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "run" / "results.parquet"), table)
    info = read_run(tmp_path / "run")
    assert (info["experiment"], info["status"], info["scores"]) == ("simulate", "finished", ["score"])
    assert info["args"]["num_samples"] == 12
    best = json.loads((tmp_path / "run" / "best.json").read_text())
    assert best["arch"] == table.loc[table["fitness"].idxmax(), "arch"]
    replayed = RegularizedEvolution(SPACE, fitness=FITNESS, population=5, sample=2, seed=3)
    replayed.replay(read_journal(tmp_path / "run" / "journal.jsonl"))
    assert replayed.num_asked == 12
    run = read_runs(tmp_path / "run", Accuracies())[0]
    assert run.fitness == FITNESS
    assert len(run.rows) == 12
    with pytest.raises(UsageError, match="already holds a run"):
        search(folder=tmp_path / "run")


def test_a_simulation_that_fails_keeps_its_rows(tmp_path: Path) -> None:
    class Broken(GivenArchs):
        def ask(self) -> str | None:
            if self.num_asked == 3:
                raise RuntimeError("no more")
            return super().ask()

    with pytest.raises(RuntimeError, match="no more"):
        simulate(Broken(SPACE, fitness=FITNESS, archs=ARCHS), evaluate, folder=tmp_path / "run")
    assert read_run(tmp_path / "run")["status"] == "failed"
    assert len(pd.read_parquet(tmp_path / "run" / "results.parquet")) == 3


@pytest.mark.parametrize(
    "fitness",
    [
        Single(("a",)),
        RankSum(("a", "b")),
        LogRankSum(("a", "b")),
        NormalisedSum(("a",)),
        Mixed(("a", "b"), 0.25),
        MixedRaw(("a", "b"), 0.25),
        MixedRanks(("b", "a")),
    ],
)
def test_the_text_of_a_fitness_makes_it_again(fitness: Any) -> None:
    assert parse_fitness(text_of(fitness), ["a", "b"]) == fitness
    assert text_of(lambda rows: rows) is None  # type: ignore[arg-type,return-value]


class Remembers(RegularizedEvolution):
    """Notes what it asked and heard, in this order."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.course: list[tuple[str, str]] = []

    def ask(self) -> str | None:
        arch = super().ask()
        if arch is not None:
            self.course.append(("ask", arch))
        return arch

    def tell(self, arch: str, row: Row) -> None:
        super().tell(arch, row)
        self.course.append(("tell", arch))


def remembers(seed: int) -> Remembers:
    return Remembers(SPACE, fitness=FITNESS, population=6, sample=3, seed=seed)


def by_hand(
    searcher: Remembers, lasts: Callable[[str], float], workers: int, limit: float, pooled: bool
) -> list[tuple[str, float]]:
    """The clock as it is described, with a list of workers and without the machinery of searches."""
    free: list[tuple[float, int, str] | None] = [None] * workers  # end, number, arch
    now, charged, number, known = 0.0, 0.0, 0, dict[str, float]()
    waiting: list[str] = []
    ended: list[tuple[str, float]] = []

    def told(arch: str) -> None:
        row: Row = {"arch": arch, "trial": number, "score": float(SPACE.index(arch)), "error": None}
        again = arch in known
        searcher.follow({"event": "tell", "trial": number, "row": {**row, "reused": again}})
        known[arch] = now
        searcher.tell(arch, {**row, "reused": again})
        ended.append((arch, now))

    while True:
        for place, held in enumerate(free):
            while held is None and len(waiting) < MOST_WAITING and (charged if pooled else now) < limit:
                arch = searcher.ask()
                if arch is None:
                    break
                if arch in known:
                    told(arch)
                elif arch in [one[2] for one in free if one]:
                    waiting.append(arch)
                else:
                    free[place] = held = (now + lasts(arch), number, arch)
                    charged += lasts(arch)
                    number += 1
        busy = [one for one in free if one is not None]
        if not busy:
            return ended
        end, first, arch = min(busy)
        free[[one is not None and one[1] == first for one in free].index(True)] = None
        now = end
        told(arch)
        for again in [one for one in waiting if one == arch]:
            waiting.remove(again)
            told(again)


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 7, 20])
def test_any_number_of_workers_against_the_clock_by_hand(workers: int, pooled: bool) -> None:
    rng = np.random.default_rng(workers)
    takes = dict(zip(SPACE, rng.integers(1, 5, len(SPACE)).astype(float), strict=True))  # with many ties

    def timed(arch: str, report: Callable[[Row], None]) -> None:
        report({"score": float(SPACE.index(arch)), "seconds": takes[arch], "error": None})

    most = 150.0 if pooled else 40.0
    limit = {"work" if pooled else "seconds": most}
    for seed in range(2):
        ours, theirs = remembers(seed), remembers(seed)
        table = simulate(ours, timed, workers=workers, **limit)  # type: ignore[arg-type]
        expected = by_hand(theirs, takes.__getitem__, workers, most, pooled)
        assert list(zip(table["arch"], table["finished_at"], strict=True)) == expected
        assert ours.course == theirs.course


def test_any_number_of_workers_gets_the_same_work() -> None:
    def spent(workers: int, **limit: float) -> pd.DataFrame:
        made = RegularizedEvolution(SPACE, fitness=FITNESS, population=5, sample=2, seed=3)
        return simulate(made, evaluate, workers=workers, **limit)

    pd.testing.assert_frame_equal(spent(1, work=80.0), spent(1, seconds=80.0))
    for workers in (1, 3, 16):
        table = spent(workers, work=80.0)
        assert 80.0 <= table["seconds"].sum() < 85.0  # what passes the limit is finished
        on_the_clock = spent(workers, seconds=80.0)
        assert on_the_clock["finished_at"].max() >= 80.0
        assert on_the_clock["seconds"].sum() > 0.9 * 80.0 * workers  # known archs in flight are waited for
    with pytest.raises(UsageError, match=r"work must be a number larger than 0 or None, got 0\.0\."):
        spent(1, work=0.0)


def test_the_work_of_a_run_is_in_its_folder(tmp_path: Path) -> None:
    simulate(given(), evaluate, work=4.0, folder=tmp_path / "run")
    assert read_run(tmp_path / "run")["args"]["work"] == 4.0
