"""How much of the space of objectives a set of rows covers, and how it grew in a search."""

from __future__ import annotations

import numpy as np

from nas_ray.searchers.pareto import first_front

MOST_OBJECTIVES = 4
"""Of more objectives the volume takes too long."""


def hypervolume(values: np.ndarray) -> float:
    """Returns the volume of what at least one row of `values [n, objectives]` dominates, down to 0.

    Larger is better; rows that are not above 0 in all objectives add nothing.

    Source: Zitzler and Thiele, "Multiobjective Evolutionary Algorithms: A Comparative Case Study and the
    Strength Pareto Approach", IEEE TEC 1999; computed by slicing along one objective after the other.
    """
    values = values[(values > 0).all(axis=1)]
    if not len(values):
        return 0.0
    if values.shape[1] == 1:
        return float(values.max())
    values = values[np.argsort(-values[:, -1], kind="stable")]
    depths = values[:, -1] - np.append(values[1:, -1], 0.0)
    if values.shape[1] == 2:
        return float(np.maximum.accumulate(values[:, 0]) @ depths)
    slabs = [
        hypervolume(values[: last + 1, :-1][first_front(values[: last + 1, :-1])]) if depth else 0.0
        for last, depth in enumerate(depths)
    ]
    return float(np.array(slabs) @ depths)


def growth(values: np.ndarray) -> np.ndarray:
    """Returns `[n]`, the hypervolume of the first row, of the first two, and so on.

    A new row adds its own box without the part of it that earlier rows cover.

    Source: While, Bradstreet and Barone, "A Fast Way of Calculating Exact Hypervolumes", IEEE TEC 2012.
    """
    front, volume, volumes = values[:0], 0.0, []
    for row in values:
        if np.isfinite(row).all() and not (front >= row).all(axis=1).any():
            covered = np.minimum(front, row)
            volume += float(np.prod(np.maximum(row, 0.0))) - hypervolume(covered[first_front(covered)])
            front = np.vstack([front[~(row >= front).all(axis=1)], row])
        volumes.append(volume)
    return np.array(volumes)


def improvements(front: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns `[n]`, by how much each of `rows [n, objectives]` alone would grow the hypervolume of a front.

    Args:
        front: `[members, objectives]`, of which none dominates another.
        rows: finite.
    """
    if front.shape[1] != 2:
        covered = [np.minimum(front, row) for row in rows]
        own = np.prod(np.maximum(rows, 0.0), axis=1)
        return np.array(
            [box - hypervolume(part[first_front(part)]) for box, part in zip(own, covered, strict=True)]
        )
    steps = front[np.argsort(-front[:, 0], kind="stable")]
    right, left = np.append(np.inf, steps[:, 0]), np.append(steps[:, 0], 0.0)
    height = np.append(0.0, np.maximum.accumulate(steps[:, 1]))
    wide = np.clip(np.minimum(rows[:, :1], right) - np.maximum(left, 0.0), 0.0, None)
    return np.asarray((wide * np.clip(rows[:, 1:] - np.maximum(height, 0.0), 0.0, None)).sum(axis=1))
