"""How archs vary: neighbours with their chances, uniform crossover, mutation of every decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError

if TYPE_CHECKING:  # a searcher needs no torch
    from nas_ray.spaces.base import CellSpace, DecisionSpace

Children = tuple[list[str], np.ndarray | None]
"""Archs and their chances `[archs]`, which sum to 1; None means equal chances."""

MAX_TRIES = 100
"""Draws of a child that may fall outside of a filtered space before another way is taken."""


def assembled(space: DecisionSpace, decisions: Sequence[str]) -> str | None:
    """Returns the arch of `decisions`, None if they make no arch of the space."""
    try:
        return space.assemble(decisions)
    except UsageError:
        return None


def draw(children: Children, rng: np.random.Generator) -> str | None:
    """Returns one of `children` by its chance, None if there are none."""
    archs, chances = children
    if not archs:
        return None
    if chances is None:
        return archs[int(rng.integers(len(archs)))]
    return archs[int(rng.choice(len(archs), p=chances))]


def node_first_children(space: CellSpace, arch: str) -> Children:
    """Returns the archs one mutation from `arch` where the node is drawn first.

    A node is drawn uniformly, then one of its incoming edges, then another operation; so the only edge into
    node 1 of NATS-TSS changes a third of the time, and one into node 3 a ninth. A child outside of a filtered
    space has no chance, and the others share its chance, as if it were drawn again.

    Source: the released code of Dong et al., "NATS-Bench", TPAMI 2021, for evolution on the topology space.
    Differs: none known.
    """
    decisions, choices, groups = space.decisions(arch), space.choices(), space.groups()
    archs: list[str] = []
    chances: list[float] = []
    for group in groups:
        for place in group:
            others = [option for option in choices[place] if option != decisions[place]]
            for option in others:
                child = assembled(space, (*decisions[:place], option, *decisions[place + 1 :]))
                if child is not None:
                    archs.append(child)
                    chances.append(1 / (len(groups) * len(group) * len(others)))
    return archs, np.array(chances) / sum(chances) if archs else None


def crossover(space: DecisionSpace, first: str, second: str, rng: np.random.Generator) -> str:
    """Returns a child that takes each decision from either parent with equal chance.

    A child outside of a filtered space is drawn again, at most `MAX_TRIES` times; then it is `first`.

    Source: Syswerda, "Uniform Crossover in Genetic Algorithms", ICGA 1989.
    """
    parents = space.decisions(first), space.decisions(second)
    for _ in range(MAX_TRIES):
        picks = rng.integers(2, size=len(parents[0]))
        child = assembled(space, [parents[pick][place] for place, pick in enumerate(picks)])
        if child is not None:
            return child
    return first


def mutate_each(space: DecisionSpace, arch: str, rate: float, rng: np.random.Generator) -> str:
    """Returns `arch` with each decision changed to another of its options with chance `rate`.

    What falls outside of a filtered space is drawn again, at most `MAX_TRIES` times; then it is `arch`.
    """
    decisions, choices = space.decisions(arch), space.choices()
    for _ in range(MAX_TRIES):
        child = list(decisions)
        for place in np.flatnonzero(rng.random(len(child)) < rate):
            others = [option for option in choices[place] if option != decisions[place]]
            if others:
                child[place] = others[int(rng.integers(len(others)))]
        made = assembled(space, child)
        if made is not None:
            return made
    return arch


def one_hot(space: DecisionSpace, archs: Sequence[str]) -> np.ndarray:
    """Returns `[archs, options of all decisions]` with 1 where an arch takes an option, else 0."""
    columns: dict[tuple[int, str], int] = {}
    for place, options in enumerate(space.choices()):
        for option in options:
            columns[place, option] = len(columns)
    code = np.zeros((len(archs), len(columns)))
    for row, arch in enumerate(archs):
        code[row, [columns[key] for key in enumerate(space.decisions(arch))]] = 1
    return code
