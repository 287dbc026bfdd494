from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import RankSum, RegularizedEvolution, Single
from nas_ray.spaces import NatsTss
from tests.searchers.toy import Line, drive


class Script:
    """Stands in for a random generator: returns the numbers that a test wrote down."""

    def __init__(self, *numbers: object) -> None:
        self.numbers = list(numbers)

    def integers(self, high: int, size: int | None = None) -> object:
        number = self.numbers.pop(0)
        drawn = number if isinstance(number, list) else [number]
        assert len(drawn) == (size or 1)
        assert all(0 <= n < high for n in drawn)
        return np.array(drawn) if size else number


def test_hand_traced_run() -> None:
    """P = 3, S = 2 on archs 0..4, whose fitness is their number."""
    searcher = RegularizedEvolution(Line(5), fitness=Single(("x",)), population=3, sample=2)
    searcher.rng = Script(  # type: ignore[assignment]
        *(1, 3, 0),  # first population: 1 3 0
        *([0, 2], 1),  # members 1 3 0: tournament 1 against 0 -> 1; neighbours 0 2 -> 2; 1 dies
        *([1, 2], 0),  # members 3 0 2: tournament 0 against 2 -> 2; neighbours 1 3 -> 1 (known); 3 dies
        *([2, 2], 1),  # members 0 2 1: tournament 1 against itself -> 1; neighbours 0 2 -> 2 (known); 0 dies
        *([0, 1], 1),  # members 2 1 2: tournament 2 against 1 -> 2; neighbours 1 3 -> 3 (known); 2 dies
        *([2, 1], 1),  # members 1 2 3: tournament 3 against 2 -> 3; neighbours 2 4 -> 4
    )
    asked = drive(searcher, 5)
    assert asked == ["1", "3", "0", "2", "4"]  # what was known needed no evaluation
    told = [event["row"] for event in searcher.events if event["event"] == "tell"]
    assert [(row["arch"], row["reused"]) for row in told] == [
        ("1", False), ("3", False), ("0", False), ("2", False),
        ("1", True), ("2", True), ("3", True), ("4", False),
    ]  # fmt: skip


def test_the_oldest_dies_even_if_it_is_the_best() -> None:
    searcher = RegularizedEvolution(Line(9), fitness=Single(("x",)), population=2, sample=2)
    for number, value in enumerate([8.0, 1.0, 2.0]):
        config = searcher.suggest(str(number))
        assert isinstance(config, dict)
        searcher.on_trial_complete(str(number), {"x": value})
    alive = [searcher.history[place]["x"] for place in searcher._alive]
    assert alive == [1.0, 2.0]


def test_children_are_uniform_over_the_neighbours_of_the_winner() -> None:
    space = NatsTss()
    searcher = RegularizedEvolution(space, fitness=Single(("x",)), population=1, sample=1, seed=3)
    first = searcher.suggest("0")
    assert isinstance(first, dict)
    searcher.on_trial_complete("0", {"x": 0.0})
    counts = dict.fromkeys(space.neighbors(first["arch"]), 0)
    for _ in range(2400):
        arch = searcher.ask()
        assert arch is not None
        counts[arch] += 1
    assert len(counts) == 24
    chi_square = sum((count - 100) ** 2 / 100 for count in counts.values())
    assert chi_square < 49.7  # 99.9 % quantile with 23 degrees of freedom


def test_it_waits_while_no_member_is_known() -> None:
    searcher = RegularizedEvolution(NatsTss(), fitness=Single(("x",)), population=2, sample=2)
    assert isinstance(searcher.suggest("a"), dict)
    assert isinstance(searcher.suggest("b"), dict)
    assert searcher.suggest("c") is None
    searcher.on_trial_complete("a", {"x": 1.0})
    assert isinstance(searcher.suggest("c"), dict)


def test_relative_fitness_looks_at_everything_evaluated() -> None:
    """Within the two members alone a and b tie on rank sums; the earlier rows decide for b."""
    searcher = RegularizedEvolution(Line(9), fitness=RankSum(("x", "y")), population=2, sample=2)
    searcher.history = [
        {"arch": "5", "x": 0.0, "y": 5.0},
        {"arch": "6", "x": 0.0, "y": 6.0},
        {"arch": "1", "x": 1.0, "y": 4.0},
        {"arch": "2", "x": 0.5, "y": 7.0},
    ]
    assert list(searcher.fitness_of([2, 3])) == [4 + 1, 3 + 4]


@pytest.mark.parametrize(("population", "sample"), [(0, 3), (5, 0)])
def test_sizes_must_be_positive(population: int, sample: int) -> None:
    with pytest.raises(UsageError) as caught:
        RegularizedEvolution(Line(), fitness=Single(("x",)), population=population, sample=sample)
    assert str(caught.value) == (
        f"population and sample must be from 1 to 1000000, got population={population} and sample={sample}."
    )
