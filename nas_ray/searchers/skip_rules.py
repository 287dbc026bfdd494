"""How two of the skip rules mutate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nas_ray.searchers.variation import Children, assembled

if TYPE_CHECKING:
    from nas_ray.spaces.base import CellSpace

SKIP = "skip_connect"


def nearest_to_one(children: Children) -> Children:
    """Returns those of `children` whose number of skip connections is nearest to one, with their chances.

    These have exactly one where the parent has at most two.
    """
    archs, chances = children
    if not archs:
        return children
    away = np.array([abs(arch.count(SKIP) - 1) for arch in archs])
    kept = np.flatnonzero(away == away.min())
    if chances is not None:
        chances = chances[kept] / chances[kept].sum()
    return [archs[i] for i in kept], chances


def towards_output(space: CellSpace, parent: str) -> Children:
    """Returns what a cell with one skip connection becomes on its way to a skip from input to output.

    With the skip on the edge from the input to the output: an edge into another node, drawn by its node
    first, takes another operation, no skip. With the skip on another edge into the output: it changes places
    with the operation of that edge. With the skip on an edge into another node: it is brought to the first
    edge of its node, and then the operations of that node change places with those of as many first edges of
    the output.

    Source: the code of the course project "How Powerful are Skip Connections in Neural Architecture Search
    without Training", version of July 2022.
    Differs: none known.
    """
    *inner, output = space.groups()
    decisions = list(space.decisions(parent))
    place = decisions.index(SKIP)
    if place == output[0]:
        return _without_skip(space, decisions, inner)
    if place in output:
        _swap(decisions, place, output[0])
    else:
        group = next(group for group in inner if place in group)
        _swap(decisions, place, group[0])
        for here, there in zip(group, output, strict=False):
            _swap(decisions, here, there)
    moved = assembled(space, decisions)
    return ([moved], None) if moved else ([], None)


def _without_skip(space: CellSpace, decisions: list[str], groups: list[tuple[int, ...]]) -> Children:
    archs: list[str] = []
    chances: list[float] = []
    for group in groups:
        for place in group:
            options = [op for op in space.choices()[place] if op not in (decisions[place], SKIP)]
            for option in options:
                arch = assembled(space, [*decisions[:place], option, *decisions[place + 1 :]])
                if arch is not None:
                    archs.append(arch)
                    chances.append(1 / (len(groups) * len(group) * len(options)))
    return archs, np.array(chances) / sum(chances) if archs else None


def _swap(decisions: list[str], one: int, other: int) -> None:
    decisions[one], decisions[other] = decisions[other], decisions[one]
