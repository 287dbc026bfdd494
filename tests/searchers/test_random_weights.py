"""Searchers of one fitness, with random weights of several objectives."""

from __future__ import annotations

import numpy as np
import pytest

from nas_ray import simulate
from nas_ray.errors import UsageError
from nas_ray.searchers import RandomWeights, RegularizedEvolution, Single
from nas_ray.searchers.pareto import parse_objectives
from nas_ray.searchers.random_weights import Chebyshev
from tests.searchers.toy import Grid

GRID = Grid()


def evaluate(arch: str, report: object) -> None:
    row = {"gain": float(sum(map(int, arch))), "cost": float(arch[0]), "seconds": 1.0, "error": None}
    report(row)  # type: ignore[operator]


def test_the_scalarisation_by_hand() -> None:
    fitness = Chebyshev(parse_objectives("gain,-cost"), 0.05)
    fitness.weights = np.array([0.25, 0.75])
    rows = [
        {"gain": 10.0, "cost": 4.0},
        {"gain": 0.0, "cost": 0.0},
        {"gain": 5.0, "cost": 1.0},
        {"gain": 1.0},
    ]
    # Distances from the best, weighted: (0, .75), (.25, 0), (.125, .1875).
    expected = [-0.75 - 0.05 * 0.75, -0.25 - 0.05 * 0.25, -0.1875 - 0.05 * 0.3125, -np.inf]
    np.testing.assert_allclose(fitness(rows), expected)
    assert fitness([]).shape == (0,)
    assert fitness.names == ("gain", "cost")


def test_weights_are_drawn_before_asks_and_sum_to_one() -> None:
    searcher = RandomWeights(
        GRID, objectives="gain,-cost", of="rea", options="population=4+sample=2", every=3
    )
    drawn = []
    ask = searcher.inner.ask
    searcher.inner.ask = lambda: drawn.append(searcher.scalar.weights) or ask()  # type: ignore[func-returns-value,method-assign]
    rows = simulate(searcher, evaluate, num_samples=12)
    assert len(rows) == 12
    assert [len({tuple(weights) for weights in drawn[at : at + 3]}) for at in range(0, 12, 3)] == [1] * 4
    assert len({tuple(weights) for weights in drawn}) == 4
    np.testing.assert_allclose([weights.sum() for weights in drawn], 1.0)


def test_the_searcher_inside_is_what_it_would_be_with_that_fitness() -> None:
    around = RandomWeights(
        GRID, objectives="gain,-cost", of="rea", options="population=4+sample=2", every=1000, seed=3
    )
    rows = simulate(around, evaluate, num_samples=30)
    fitness = Chebyshev(parse_objectives("gain,-cost"), 0.05)
    fitness.weights = around.scalar.weights
    alone = RegularizedEvolution(GRID, fitness=fitness, seed=3, population=4, sample=2)
    assert simulate(alone, evaluate, num_samples=30)["arch"].tolist() == rows["arch"].tolist()


def test_one_with_objectives_of_its_own_is_refused() -> None:
    with pytest.raises(
        UsageError, match="random_weights needs a searcher of one fitness, got nsga2; use it by"
    ):
        RandomWeights(GRID, fitness=Single(("gain",)), of="nsga2")
