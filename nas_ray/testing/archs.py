"""Archs of a space under test: drawn, far from each other, and near one."""

from __future__ import annotations

import itertools

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.base import (
    DecisionSpace,
    FiniteSpace,
    Neighborhood,
    RecombiningSpace,
    SearchSpace,
    SequenceSpace,
)
from nas_ray.spaces.product import arch_space, product_of
from nas_ray.spaces.sequences import sample_sequence
from nas_ray.testing.given import must

LISTED = 20_000
"""Archs of a list that are gone through to its last."""


def samples(space: SearchSpace, count: int) -> list[str]:
    """Returns `count` archs drawn from one seed, known to be strings."""
    rng = np.random.default_rng(0)
    return [_text(space.sample(rng), "sample") for _ in range(count)]


def neighbors_of(space: Neighborhood, arch: str) -> list[str]:
    """Returns the neighbours of `arch`, known to be a list of strings."""
    near = space.neighbors(arch)
    must(isinstance(near, list), f"neighbors({arch!r}) must return a list", near)
    return [_text(one, f"neighbors({arch!r})") for one in near]


def far_archs(space: SearchSpace) -> list[str]:
    """Returns archs in which every option of every decision occurs, and the ends of a list.

    So a net that cannot be built of one operation, or the smallest or largest of a range, is found.
    """
    archs: list[str] = []
    if isinstance(space, DecisionSpace):
        choices = space.choices()
        for number in range(max(map(len, choices), default=0)):
            try:
                archs.append(space.assemble([options[number % len(options)] for options in choices]))
            except UsageError:  # these decisions exclude each other
                continue
    elif isinstance(space, SequenceSpace):
        rng = np.random.default_rng(0)
        archs += [sample_sequence(space, rng) for _ in range(10)]
    if isinstance(space, FiniteSpace):
        archs += [*itertools.islice(space, 2)]
        archs += [*itertools.islice(space, min(len(space), LISTED) - 1, LISTED)][:1]
    return list(dict.fromkeys(_text(arch, "assemble") for arch in archs))


def goes_one_way(space: SearchSpace) -> bool:
    """Returns whether a neighbour of an arch may lack it.

    So it is where archs are sequences of several lengths, and where a space makes children itself, whose
    neighbours are some of many.
    """
    product = product_of(space)
    archs = space if product is None else arch_space(product)
    several = isinstance(archs, SequenceSpace) and not isinstance(archs, DecisionSpace)
    return several or isinstance(archs, RecombiningSpace)


def _text(arch: object, who: str) -> str:
    must(type(arch) is str, f"{who} must return archs as strings", arch)
    return str(arch)
