"""An arch as the decisions that led to it, each with what else was possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from nas_ray.spaces.base import END, AnchoredSpace, SequenceSpace, lacking
from nas_ray.spaces.sequences import walked

Anchors = tuple[int, int] | None


class Decision(NamedTuple):
    """One decision.

    Attributes:
        options: what was possible.
        taken: the place of what was taken among them.
        anchors: the two anchor points, where it says what reads what (`AnchoredSpace`).
    """

    options: tuple[str, ...]
    taken: int
    anchors: Anchors = None


Path = tuple[Decision, ...]
"""All decisions of an arch, its end included."""


class Reader(Protocol):
    """Goes along one sequence."""

    def draw(self, options: tuple[str, ...], anchors: Anchors, at: float) -> tuple[int, float]:
        """Returns the option drawn, by its place, and the logarithm of its chance.

        Args:
            options: what is possible.
            anchors: see `Decision`.
            at: number in [0, 1) that decides: the chances of all options before the drawn one sum to less.
        """


class Drawn(NamedTuple):
    """A sequence that was drawn.

    Attributes:
        decisions: without the end, for `assemble`.
        path: with the end.
        logs: `[decisions of the path]` logarithms of their chances.
    """

    decisions: tuple[str, ...]
    path: Path
    logs: np.ndarray


def anchors_of(space: SequenceSpace) -> Callable[[tuple[str, ...]], Anchors]:
    """Returns what tells the anchor points of the decision behind a prefix."""
    return (lambda _: None) if lacking(space, AnchoredSpace) else cast(AnchoredSpace, space).anchor


def draw(space: SequenceSpace, reader: Reader, rng: np.random.Generator) -> Drawn:
    """Returns a sequence of `space` that `reader` draws, with a number of `rng` for each free decision.

    Raises:
        UsageError: the space gives no options, or no end.
    """
    anchors, path, logs = anchors_of(space), list[Decision](), list[float]()

    def choose(prefix: tuple[str, ...], options: tuple[str, ...]) -> str:
        options, points = tuple(options), anchors(prefix)
        taken, log = reader.draw(options, points, rng.random() if len(options) > 1 else 0.0)
        path.append(Decision(options, taken, points))
        logs.append(log)
        return options[taken]

    return Drawn(walked(space, choose), tuple(path), np.array(logs))


def path_of(space: SequenceSpace, decisions: Sequence[str]) -> Path:
    """Returns the path of `decisions`, which has its end and may have no other.

    Raises:
        UsageError: a decision is no option where it stands.
    """
    anchors, path, wanted = anchors_of(space), list[Decision](), (*decisions, END)

    def choose(prefix: tuple[str, ...], options: tuple[str, ...]) -> str:
        option = wanted[len(prefix)]
        path.append(Decision(tuple(options), tuple(options).index(option), anchors(prefix)))
        return option

    walked(space, choose)
    return tuple(path)


def plain(path: Path) -> list[Any]:
    """Returns a path as plain data, which `unplain` takes."""
    return [tuple(decision) for decision in path]


def unplain(path: Sequence[Any]) -> Path:
    """Returns the path of plain data."""
    return tuple(Decision(*decision) for decision in path)
