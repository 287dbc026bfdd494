"""Functional analysis of variance: how much of what points are worth each coordinate explains by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

TREES = 64
"""Trees of a forest."""


def main_effects(points: np.ndarray, values: np.ndarray, *, trees: int = TREES, seed: int = 0) -> np.ndarray:
    """Returns `[coordinates]` shares of the variance of `values` over the whole cube, each in [0, 1].

    A random forest is fitted to the points. Its trees are constant on boxes, so mean and variance of each
    under a uniform distribution are sums over boxes, and so is what remains where all coordinates but one are
    averaged out. What the shares lack of 1 is explained by several coordinates together. Values that vary
    nowhere are explained by nothing: all shares are 0.

    Source: Hutter, Hoos and Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance",
    ICML 2014.
    Differs: none known; the trees are scikit-learn's.

    Args:
        points: `[points, coordinates]` in the cube from 0 to 1; of choices, the middles of cells of equal
            width.
        values: `[points]`, finite.
        trees: of the forest.
        seed: of the forest.
    """
    if len(values) < 2 or not np.ptp(values):
        return np.zeros(points.shape[1])
    from sklearn.ensemble import RandomForestRegressor  # takes a second

    forest = RandomForestRegressor(trees, random_state=seed, max_features=1.0)
    forest.fit(points, values)
    shares = [
        share for tree in forest.estimators_ if (share := _shares(tree.tree_, points.shape[1])) is not None
    ]
    return np.mean(shares, axis=0) if shares else np.zeros(points.shape[1])


def _shares(tree: object, coordinates: int) -> np.ndarray | None:
    """Returns the shares of one tree; None where it is constant."""
    leaves = list(_leaves(tree, coordinates))
    lows, highs = (np.array([leaf[side] for leaf in leaves]) for side in (0, 1))
    values = np.array([leaf[2] for leaf in leaves])
    widths = highs - lows
    volumes = widths.prod(axis=1)
    mean = float(volumes @ values)
    variance = float(volumes @ (values - mean) ** 2)
    if variance <= 1e-12 * max(1.0, mean**2):
        return None
    found = np.zeros(coordinates)
    for place in range(coordinates):
        ends = np.unique(np.concatenate([lows[:, place], highs[:, place]]))
        middles, lengths = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
        inside = (lows[:, place] < middles[:, None]) & (middles[:, None] < highs[:, place])
        averages = inside @ (values * volumes / widths[:, place])
        found[place] = lengths @ (averages - mean) ** 2 / variance
    return found


def _leaves(tree: object, coordinates: int) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Yields lower and upper corner of the box of each leaf of scikit-learn's tree, and its value."""
    left, right, feature, threshold, value = (
        getattr(tree, name) for name in ("children_left", "children_right", "feature", "threshold", "value")
    )
    stack = [(0, np.zeros(coordinates), np.ones(coordinates))]
    while stack:
        node, low, high = stack.pop()
        if left[node] < 0:
            yield low, high, float(value[node, 0, 0])
            continue
        place, at = int(feature[node]), float(threshold[node])
        below, above = high.copy(), low.copy()
        below[place] = above[place] = at
        stack += [(int(left[node]), low, below), (int(right[node]), above, high)]
