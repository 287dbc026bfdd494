"""Paths as arrays, for a net that reads many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nas_ray.searchers.controllers.paths import Anchors, Path
from nas_ray.searchers.tokens import PlacedVocabulary


class Steps:
    """Goes along one path and says when a net reads, and what.

    A step is a decision, or all decisions of one part on what it reads.

    Attributes:
        unread: tokens taken since the last step; the first one reads `START`.
    """

    def __init__(self) -> None:
        self.unread = [0]
        self._part: int | None = None  # the anchor point of the part that decides what it reads

    def begins(self, anchors: Anchors) -> bool:
        """Returns whether the next decision is a new step."""
        before, self._part = self._part, None if anchors is None else anchors[1]
        return self._part is None or self._part != before


class LaidOut(NamedTuple):
    """Paths as arrays.

    Attributes:
        tokens: `[all]` tokens that are read, one step after the other.
        starts: `[steps of all paths]` where those of each step begin.
        sizes: `[steps of all paths]` how many they are.
        steps: `[longest, paths]` numbers of the steps of each path, padded.
        places: `[decisions of all paths]` where each decision stands in `steps`, laid flat.
        options: `[decisions, most]` tokens that were possible, padded.
        there: `[decisions, most]` false where padded.
        taken: `[decisions]` which of them was taken.
        anchored: `[anchored]` decisions with anchor points.
        anchors: `[2, anchored]` where these stand in `steps`, laid flat.
    """

    tokens: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    steps: np.ndarray
    places: np.ndarray
    options: np.ndarray
    there: np.ndarray
    taken: np.ndarray
    anchored: np.ndarray
    anchors: np.ndarray


def laid_out(paths: Sequence[Path], vocabulary: PlacedVocabulary) -> LaidOut:
    """Returns `paths` as arrays; tokens that `vocabulary` lacks are added to it."""
    bags = list[list[int]]()
    numbers, where = list[list[int]](), list[list[int]]()  # of each path: its steps, that of each decision
    options = list[list[int]]()
    for path in paths:
        going, own, stands = Steps(), list[int](), list[int]()
        for place, decision in enumerate(path):
            if going.begins(decision.anchors):
                own.append(len(bags))
                bags.append(going.unread)
                going.unread = []
            stands.append(len(own) - 1)
            options.append(vocabulary.numbers(place, decision.options))
            going.unread.append(options[-1][decision.taken])
        numbers.append(own)
        where.append(stands)
    longest = max(map(len, numbers))
    steps = np.array([[*own, *[0] * (longest - len(own))] for own in numbers]).T
    places = [step * len(paths) + row for row, stands in enumerate(where) for step in stands]
    each = [(row, decision) for row, path in enumerate(paths) for decision in path]
    decisions = [decision for _, decision in each]
    most = max(2, *map(len, options))
    anchors = [
        (number, *(where[row][point] * len(paths) + row for point in decision.anchors))
        for number, (row, decision) in enumerate(each)
        if decision.anchors is not None
    ]
    pairs = np.array(anchors, dtype=np.int64).reshape(-1, 3).T
    return LaidOut(
        tokens=np.array([token for bag in bags for token in bag]),
        starts=np.cumsum([0, *map(len, bags[:-1])]),
        sizes=np.array(list(map(len, bags))),
        steps=steps,
        places=np.array(places),
        options=np.array([[*own, *[0] * (most - len(own))] for own in options]),
        there=np.arange(most) < np.array([[len(own)] for own in options]),
        taken=np.array([decision.taken for decision in decisions]),
        anchored=pairs[0],
        anchors=pairs[1:],
    )
