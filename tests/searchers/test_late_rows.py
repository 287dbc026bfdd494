"""Rows that a searcher hears of a fixed number of asks later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.searchers import ArchSearcher, LocalSearch, RegularizedEvolution, Row, Single
from nas_ray.searchers.late_rows import LateRows
from nas_ray.searchers.progressive.search import ProgressiveSearch
from nas_ray.spaces import NatsTss, Pnas
from nas_ray.testing import searcher_contract

SPACE = NatsTss()
FITNESS = Single(("x",))
VALUES = dict(zip(SPACE, np.random.default_rng(0).random(len(SPACE)).tolist(), strict=True))


def evaluate(arch: str, report: Callable[[Row], None]) -> None:
    report({"x": VALUES[arch], "seconds": 1.0, "error": None})


class Diary(ArchSearcher):
    """Proposes the same three archs over and over, and notes what it knows whenever it is asked."""

    def __init__(self, *args: Any, patient: int = 0, **options: Any) -> None:
        super().__init__(*args, **options)
        self.patient = patient
        self.heard: list[tuple[int, bool]] = []
        self.known: list[list[int]] = []

    def ask(self) -> str | None:
        if self.num_asked >= 5 and len(self.heard) < self.patient:
            return None
        self.known.append([trial for trial, _ in self.heard])
        return SPACE[self.num_asked % 3]

    def tell(self, arch: str, row: Row) -> None:
        assert row["arch"] == arch == SPACE[row["trial"] % 3]
        self.heard.append((row["trial"], bool(row["reused"])))


@pytest.mark.parametrize("asks", [0, 1, 4])
def test_every_row_is_exactly_so_many_asks_late(asks: int) -> None:
    inner = Diary(SPACE, fitness=FITNESS)
    simulate(LateRows(inner, asks), evaluate, num_samples=12)
    assert inner.known == [list(range(max(0, number - asks))) for number in range(12)]
    assert [again for _, again in inner.heard] == [number >= 3 for number in range(len(inner.heard))]
    assert [row["arch"] for row in inner.history] == list(SPACE)[: min(3, 11 - asks + 1)]


def test_late_by_nothing_it_is_the_searcher_itself() -> None:
    def made() -> ArchSearcher:
        return RegularizedEvolution(SPACE, fitness=FITNESS, seed=4, population=8, sample=3)

    plain, late = (
        simulate(made(), evaluate, num_samples=90),
        simulate(LateRows(made(), 0), evaluate, num_samples=90),
    )
    assert plain["arch"].tolist() == late["arch"].tolist()
    later = simulate(LateRows(made(), 20), evaluate, num_samples=90)["arch"].tolist()
    assert later[:8] == plain["arch"].tolist()[:8]
    assert later != plain["arch"].tolist()


@pytest.mark.parametrize("workers", [1, 3])
def test_lateness_of_l_asks_is_l_more_workers_that_take_equally_long(workers: int) -> None:
    def made() -> ArchSearcher:
        return LocalSearch(SPACE, fitness=FITNESS, seed=1)  # it never proposes an arch twice

    late = simulate(LateRows(made(), workers - 1), evaluate, num_samples=60)
    at_once = simulate(made(), evaluate, num_samples=60, workers=workers)
    assert late["arch"].tolist() == at_once["arch"].tolist()


def test_a_searcher_that_waits_is_told_what_there_is() -> None:
    inner = Diary(SPACE, fitness=FITNESS, patient=2)
    simulate(LateRows(inner, 50), evaluate, num_samples=8)
    assert inner.known[:7] == [[], [], [], [], [], [0, 1], [0, 1]]


def test_rows_that_were_given_are_known_at_once() -> None:
    inner = RegularizedEvolution(SPACE, fitness=FITNESS, population=2, sample=2)
    late = LateRows(inner, 30)
    assert late.add([{"arch": SPACE[5], "x": 0.5}, {"arch": SPACE[6], "x": 0.7}]).told == 2
    assert [row["arch"] for row in inner.history] == [SPACE[5], SPACE[6]]
    asked = simulate(late, evaluate, num_samples=10)["arch"][2:]
    assert set(asked) <= {*SPACE.neighbors(SPACE[5]), *SPACE.neighbors(SPACE[6])}


def test_what_is_maximised_later_is_maximised_inside() -> None:
    late = LateRows(RegularizedEvolution(SPACE), 1)
    late.maximise(FITNESS)
    assert late.inner.fitness is FITNESS


@pytest.mark.parametrize("asks", [-1, 1.5, 10**7])
def test_no_number_of_asks(asks: Any) -> None:
    with pytest.raises(UsageError, match="asks of LateRows must be "):
        LateRows(RegularizedEvolution(SPACE, fitness=FITNESS), asks)


def late_evolution(*args: Any, **options: Any) -> LateRows:
    return LateRows(RegularizedEvolution(*args, population=8, sample=3, **options), 5)


TestLateEvolution = searcher_contract(late_evolution)


def stages(*args: Any, **options: Any) -> ProgressiveSearch:
    return ProgressiveSearch(*args, beam=16, epochs=1, ensemble=1, **options)


def late_stages(*args: Any, **options: Any) -> LateRows:
    return LateRows(stages(*args, **options), 5)


TestLateStages = searcher_contract(late_stages)


def by_length(arch: str, report: Callable[[Row], None]) -> None:
    report({"x": len(arch) + arch.count("sep"), "seconds": 1.0, "error": None})


def test_a_search_in_stages_knows_a_stage_before_it_begins_the_next() -> None:
    inner = stages(Pnas(), fitness=FITNESS)
    late = simulate(LateRows(inner, 200), by_length, num_samples=170, workers=3)["arch"].tolist()
    plain = simulate(stages(Pnas(), fitness=FITNESS), by_length, num_samples=152)["arch"].tolist()
    assert late[:152] == plain  # of one block, and of two
    assert len(set(late)) == 170
    assert len(inner.history) >= 136 + 16


def test_a_row_that_never_comes_holds_no_stage_up() -> None:
    late = LateRows(stages(Pnas(), fitness=FITNESS), 200)
    late.attach()
    archs = []
    for trial in range(140):
        config = late.suggest(str(trial))
        assert isinstance(config, dict)
        archs.append(config["arch"])
        cancelled = trial % 2
        late.on_trial_complete(str(trial), None if cancelled else {"x": float(trial)})
    assert len(set(archs)) == 140
