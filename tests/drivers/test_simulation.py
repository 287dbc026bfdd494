"""Searches in this process: the simulated clock and its workers."""

from __future__ import annotations

import signal
from collections.abc import Callable

import numpy as np
import pytest

from nas_ray.drivers.simulation import duration, simulate
from nas_ray.errors import UsageError
from nas_ray.searchers import ArchSearcher, RandomSearch, RegularizedEvolution, Row, Single
from nas_ray.searchers.given import GivenArchs
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
