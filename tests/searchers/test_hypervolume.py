"""The volume that a front dominates."""

from __future__ import annotations

import numpy as np
import pytest

from nas_ray.searchers.hypervolume import growth, hypervolume, improvements
from nas_ray.searchers.pareto import first_front


def test_two_objectives_by_hand() -> None:
    # 3 x 1 and 1 x 2, which share 1 x 1.
    assert hypervolume(np.array([[3.0, 1.0], [1.0, 2.0]])) == 4.0
    assert hypervolume(np.array([[3.0, 1.0], [1.0, 2.0], [2.0, 1.0]])) == 4.0  # dominated
    assert hypervolume(np.array([[3.0, 0.0], [-1.0, 2.0]])) == 0.0
    assert hypervolume(np.empty((0, 2))) == 0.0


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_equals_counted_cells_of_a_grid(objectives: int) -> None:
    points = np.random.default_rng(objectives).integers(0, 5, size=(12, objectives))
    cells = np.stack(np.meshgrid(*[np.arange(4)] * objectives), axis=-1).reshape(-1, objectives)
    covered = (points[:, None] > cells[None]).all(axis=2).any(axis=0).sum()
    assert hypervolume(points.astype(float)) == pytest.approx(covered)


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_growth_is_the_volume_of_every_beginning(objectives: int) -> None:
    values = np.random.default_rng(objectives).random((40, objectives))
    values[5] = -np.inf
    whole = [hypervolume(values[: count + 1]) for count in range(len(values))]
    np.testing.assert_allclose(growth(values), whole)


@pytest.mark.parametrize("objectives", [2, 3])
def test_improvements_are_what_each_row_alone_would_add(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    front = rng.random((12, objectives))
    front = front[first_front(front)]
    rows = rng.random((30, objectives)) * 1.5 - 0.2  # some are worse than the reference point, some dominated
    added = [hypervolume(np.vstack([front, row])) - hypervolume(front) for row in rows]
    np.testing.assert_allclose(improvements(front, rows), added, atol=1e-12)
