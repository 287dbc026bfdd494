"""A choice of archs of a finite space."""

from __future__ import annotations

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.base import FiniteSpace


def choose_archs(
    space: FiniteSpace, count: int, *, seed: int, accuracy: np.ndarray | None = None, strata: int = 10
) -> list[str]:
    """Returns `count` different archs of `space` in a seeded order; 0 means all, in the published order.

    Args:
        space: where they come from.
        count: how many.
        seed: of the draw.
        accuracy: `[len(space)]`; if given, each of `strata` equal groups by accuracy gives the same number.
        strata: number of groups.

    Raises:
        UsageError: the space is smaller than `count`.
    """
    archs = list(space)
    if not 0 <= count <= len(archs):
        raise UsageError(f"--num-archs must be from 0 to {len(archs)}, the size of the space, got {count}.")
    if count == 0:
        return archs
    rng = np.random.default_rng(seed)
    if accuracy is None:
        return [archs[i] for i in rng.choice(len(archs), size=count, replace=False)]
    groups = [rng.permutation(group) for group in np.array_split(np.argsort(accuracy, kind="stable"), strata)]
    turns = [group[turn] for turn in range(max(map(len, groups))) for group in groups if turn < len(group)]
    return [archs[i] for i in turns[:count]]
