from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.searchers import Negated, Nsga2, RankSum, Row, Single, pareto_front
from nas_ray.searchers.pareto import (
    crowding_distances,
    first_front,
    fronts,
    objective_values,
    parse_objectives,
)
from tests.searchers.toy import Grid, Line, Script, drive


def test_hand_traced_run() -> None:
    """N = 2 and one objective: the number that an arch reads as."""
    searcher = Nsga2(Grid(), fitness=Single(("x",)), population=2)
    searcher.rng = Script(  # type: ignore[assignment]
        *([0, 0, 1], [1, 0, 0]),  # first population 001 100; the parents are 100 in front 0, 001 in front 1
        *([0, 1], [1, 1]),  # 100 beats 001; 001 against itself
        *(0.5, [0, 0, 1]),  # crossover: 1 0 of 100, 1 of 001
        *([0.9, 0.1, 0.9], 2),  # the second decision of 101 becomes the third of 1 2 3: 131
        *([1, 0], [0, 0], 0.95, [0.9, 0.9, 0.9]),  # 100 and 100, no crossover, no mutation: 100 (known)
        # parents and children are 100 001 131: 131 and 100 stay
        *([0, 0], [1, 1], 0.95),  # 131 and 100, no crossover
        *([0.1, 0.9, 0.9], 2),  # the first decision becomes the third of 0 2 3: 331
    )
    assert drive(searcher, 4) == ["001", "100", "131", "331"]
    parents = {searcher.history[place]["arch"]: rank for place, rank in searcher._parents.items()}
    assert parents == {"131": (0, 0.0), "100": (1, 0.0)}


def test_fronts_are_those_of_the_definition() -> None:
    values = np.random.default_rng(0).integers(6, size=(60, 3)).astype(float)
    left = set(range(60))

    def beaten(i: int) -> bool:
        return any((values[j] >= values[i]).all() and (values[j] > values[i]).any() for j in left)

    for front in fronts(values):
        assert front == sorted(i for i in left if not beaten(i))
        left -= set(front)
    assert not left


def test_crowding_by_hand() -> None:
    # First objective 0 1 4 10: the inner ones have 4/10 and 9/10; second 10 6 5 0: 5/10 and 6/10.
    values = np.array([[0.0, 10.0], [1.0, 6.0], [4.0, 5.0], [10.0, 0.0]])
    np.testing.assert_allclose(crowding_distances(values), [np.inf, 0.9, 1.5, np.inf])
    np.testing.assert_array_equal(crowding_distances(np.full((3, 2), -np.inf)), [0, 0, 0])


def test_the_least_crowded_of_the_last_front_stay() -> None:
    """Of four archs in one front the ends stay, and the one with 1.5 of the two in the middle."""
    searcher = Nsga2(Grid(), fitness=RankSum(("x", "y")), population=3)
    points = {"000": (0.0, 10.0), "001": (1.0, 6.0), "002": (4.0, 5.0), "003": (10.0, 0.0)}
    for arch, (x, y) in points.items():
        searcher.history.append({"arch": arch, "x": x, "y": y})
    searcher._arrived = [0, 1, 2, 3]
    searcher._select()
    assert list(searcher._parents) == [0, 3, 2]


ROWS: list[Row] = [
    {"arch": "a", "x": 1.0, "y": 5.0},
    {"arch": "b", "x": 2.0, "y": 2.0},
    {"arch": "c", "x": 2.0, "y": 9.0},
    {"arch": "d", "x": float("nan"), "y": 0.0},
    {"arch": "e", "x": 0.5, "y": 6.0},
]


def test_pareto_front_by_hand() -> None:
    """Large x and small y: b beats c and a beats e; d has no x."""
    objectives = [Single(("x",)), Negated("y")]
    assert [row["arch"] for row in pareto_front(ROWS, objectives)] == ["b"]
    assert [row["arch"] for row in pareto_front(ROWS, [Single(("x",)), Single(("y",))])] == ["c"]
    assert pareto_front(ROWS[3:4], objectives) == []
    assert pareto_front([], objectives) == []
    np.testing.assert_array_equal(objective_values(ROWS, objectives)[3], [-np.inf, -np.inf])
    assert [row["arch"] for row in pareto_front(ROWS, "x,-y")] == ["b"]


def test_the_front_of_a_table_is_a_table() -> None:
    table = pd.DataFrame([*ROWS, {"arch": "f"}, {"arch": "b2", "x": 2.0, "y": 2.0}]).set_index(
        "arch", drop=False
    )
    front = pareto_front(table, "x,-y")
    assert front.index.tolist() == ["b", "b2"]
    assert front.columns.tolist() == ["arch", "x", "y"]
    assert pareto_front(table[:0], "x,-y").empty
    with pytest.raises(UsageError, match="Unknown objective 'yy'.*'y'"):
        pareto_front(table, "x,-yy")


def test_the_first_front_is_that_of_the_sorting() -> None:
    values = np.random.default_rng(1).integers(8, size=(80, 3)).astype(float)
    assert first_front(values).tolist() == fronts(values)[0]
    np.testing.assert_array_equal(Negated("x")(ROWS[2:4]), [-2, -np.inf])


def test_objectives_as_text_and_from_the_fitness() -> None:
    assert parse_objectives("x,-y") == [Single(("x",)), Negated("y")]
    assert str(Negated("y")) == "-y"
    assert Nsga2(Grid(), fitness=RankSum(("x", "y"))).objectives == [Single(("x",)), Single(("y",))]
    with pytest.raises(UsageError) as caught:
        parse_objectives("x,-")
    assert str(caught.value) == (
        "Objectives must be scores separated by commas, such as naswot,-flops; got 'x,-'."
    )


def test_it_finds_the_whole_front_of_a_toy_space() -> None:
    """x is the sum of squares, to be large, and y the sum of the decisions, to be small."""

    def evaluate(arch: str, report: object) -> None:
        digits = [int(digit) for digit in arch]
        report({"x": float(sum(d * d for d in digits)), "y": float(sum(digits))})  # type: ignore[operator]

    searcher = Nsga2(Grid(), fitness=Single(("x",)), objectives="x,-y", population=16)
    simulate(searcher, evaluate, num_samples=400)
    everything: list[Row] = []
    for arch in Grid():
        evaluate(arch, lambda row, arch=arch: everything.append({"arch": arch, **row}))
    best = {row["arch"] for row in pareto_front(everything, searcher.objectives)}
    assert {row["arch"] for row in searcher.front()} == best
    assert len(best) > 10


@pytest.mark.parametrize(("population", "crossover"), [(0, 0.5), (5, 1.5)])
def test_numbers_out_of_range(population: int, crossover: float) -> None:
    with pytest.raises(UsageError) as caught:
        Nsga2(Grid(), fitness=Single(("x",)), population=population, crossover=crossover)
    assert str(caught.value) == (
        "nsga2 needs a population from 1 to 1000000 and a crossover from 0 to 1, got "
        f"population={population} and crossover={crossover}."
    )


@pytest.mark.parametrize("choices", [(), (("a", "b"), ())])
def test_a_space_without_choices_is_refused(choices: tuple[tuple[str, ...], ...]) -> None:
    class Empty(Line):
        def choices(self) -> tuple[tuple[str, ...], ...]:
            return choices

    with pytest.raises(UsageError, match=r"nsga2 needs a space whose choices\(\) name at least one"):
        Nsga2(Empty(3), fitness=Single(("x",)))
