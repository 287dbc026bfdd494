"""Archs as sequences of decisions: drawing one, and changing one decision of it.

What follows a changed decision is kept, place by place, where it is still among the options there, and drawn
anew where it is not. So a child differs from its parent in one decision, and behind it in no more than what
that decision made impossible.
"""

from __future__ import annotations

import operator
import time
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.rows import shown
from nas_ray.spaces.base import END, DecisionSpace, SearchSpace, SequenceSpace, lacking

if TYPE_CHECKING:
    from torch import nn

LONGEST = 10_000
"""Decisions of a sequence after which its space is taken for one without an end."""

PATIENCE_S = 60.0
"""Seconds in which an arch must be drawn, however slow the options of its space are."""

Choose = Callable[[tuple[str, ...], tuple[str, ...]], str]
"""`choose(prefix, options)` returns one of the options that may follow `prefix`."""

MAX_REJECTIONS = 1_000

MAX_TRIES = 10
"""Draws of what follows a changed decision, where the child falls outside of a filter."""


class _FixedLength:
    """A `DecisionSpace` as sequences of its one length."""

    def __init__(self, space: DecisionSpace) -> None:
        self.space = space
        self._choices = space.choices()

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the choices of the next decision."""
        return self._choices[len(prefix)] if len(prefix) < len(self._choices) else (END,)

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a random arch of the space."""
        return self.space.sample(rng)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns the net of `arch`."""
        return self.space.build(arch, num_classes)

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions of `arch`."""
        return self.space.decisions(arch)

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions."""
        return self.space.assemble(decisions)


def as_sequence(space: SearchSpace) -> SequenceSpace | None:
    """Returns `space` as sequences: itself, or decisions of a fixed length; None if it has neither."""
    if not lacking(space, SequenceSpace):
        return space  # type: ignore[return-value]  # it has the methods
    return None if lacking(space, DecisionSpace) else _FixedLength(space)  # type: ignore[arg-type]


def sample_sequence(space: SequenceSpace, rng: np.random.Generator) -> str:
    """Returns an arch whose every decision is drawn uniformly from the options there.

    This is not uniform over archs: a short sequence has few decisions and a large chance. What makes no arch
    of the space is drawn again, at most `MAX_REJECTIONS` times. It is a method `sample` as it stands:
    `sample = sample_sequence` in the class of the space.

    Raises:
        UsageError: the space gives no options, or no end; or nothing that was drawn makes an arch.
    """
    rest, start = MAX_REJECTIONS, time.monotonic()
    while True:
        decisions, _ = _completed(space, (), (), rng)
        try:
            return space.assemble(decisions)
        except UsageError:
            rest -= 1
            if not rest or time.monotonic() - start > PATIENCE_S:
                raise


def sequence_children(space: SequenceSpace, arch: str, rng: np.random.Generator) -> list[str]:
    """Returns one child of `arch` for every other option of every decision, its end included.

    What follows is kept or drawn from `rng`, as this module says. What falls outside of a filter is drawn
    again, at most `MAX_TRIES` times, and then left out. No child comes twice, and none is `arch`.

    Raises:
        UsageError: the space gives no options, or no end.
    """
    path = (*_decisions(space, arch), END)
    children: dict[str, None] = {}
    for place, taken in enumerate(path):
        options = _options(space, path[:place])
        if taken not in options:
            raise UsageError(
                f"decisions(arch) of {type(space).__name__} must be what options gives, got {taken!r} after "
                f"{shown(path[:place])}, where {shown(tuple(options))} is possible."
            )
        for option in options:
            if option == taken:
                continue
            child = _child(space, (*path[:place], option), path[place + 1 :], rng)
            if child is not None and child != arch:
                children[child] = None
    return list(children)


def sequence_neighbors(space: SearchSpace, arch: str) -> list[str]:
    """Returns `sequence_children` of which `arch` alone decides what is drawn, so that the list is fixed.

    It is a method `neighbors` as it stands: `neighbors = sequence_neighbors` in the class of a space with
    sequences or decisions. The neighbours of a space with decisions differ in one of them; those of other
    sequences need not be neighbours of each other.

    Raises:
        UsageError: the space has neither, gives no options, or no end.
    """
    sequence = as_sequence(space)
    if sequence is None:
        raise UsageError(
            f"Neighbours by decisions need a space with options or choices, decisions and assemble, got "
            f"{type(space).__name__}; add them (nas_ray/spaces/base.py says what they return)."
        )
    return sequence_children(sequence, arch, np.random.default_rng(zlib.crc32(arch.encode())))


def _child(
    space: SequenceSpace, start: tuple[str, ...], wanted: tuple[str, ...], rng: np.random.Generator
) -> str | None:
    """Returns the arch that goes on from `start` with `wanted` where it can; None if that makes none."""
    for _ in range(MAX_TRIES):
        decisions, drawn = _completed(space, start, wanted, rng)
        try:
            return space.assemble(decisions)
        except UsageError:
            if not drawn:
                return None
    return None


def check_decisions(
    name: str, decisions: Sequence[str], choices: Sequence[Sequence[str]], what: str = ""
) -> None:
    """Checks the decisions of an arch whose number of decisions is fixed.

    Args:
        name: of the space.
        decisions: given.
        choices: the options of each.
        what: what they are, for the message.

    Raises:
        UsageError: another number of decisions, or one that is no option.
    """
    if len(decisions) != len(choices) or not all(map(operator.contains, choices, decisions)):
        raise UsageError(
            f"An arch of {name} is made of {len(choices)} decisions that choices() names{what}; got "
            f"{', '.join(map(str, decisions))}."
        )


def walked(space: SequenceSpace, choose: Choose, start: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Returns `start` and the decisions that `choose` makes at every place behind it, the end left out.

    Raises:
        UsageError: the space gives no options, or no end.
    """
    decisions, began = list(start), time.monotonic()
    while not decisions or decisions[-1] != END:
        prefix = tuple(decisions)
        decisions.append(choose(prefix, _options(space, prefix)))
        late = time.monotonic() - began > PATIENCE_S
        if late or len(decisions) > LONGEST:
            got = f"{len(decisions):,} in {PATIENCE_S:g} s" if late else f"more than {LONGEST:,} decisions"
            raise UsageError(
                f"A sequence of {type(space).__name__} must end, got {got}; let options(prefix) return END "
                f"where it may{', and return sooner' if late else ''}."
            )
    return tuple(decisions[:-1])


def _completed(
    space: SequenceSpace, start: tuple[str, ...], wanted: tuple[str, ...], rng: np.random.Generator
) -> tuple[tuple[str, ...], bool]:
    """Returns all decisions after `start`, those of `wanted` where they are options, and if any was drawn."""
    drawn = False

    def choose(prefix: tuple[str, ...], options: tuple[str, ...]) -> str:
        nonlocal drawn
        place = len(prefix) - len(start)
        if place < len(wanted) and wanted[place] in options:
            return wanted[place]
        drawn = drawn or len(options) > 1
        return options[int(rng.integers(len(options)))]

    return walked(space, choose, start), drawn


def _decisions(space: SequenceSpace, arch: str) -> tuple[str, ...]:
    decisions = space.decisions(arch)
    if not isinstance(decisions, (tuple, list)):
        raise UsageError(
            f"decisions(arch) of {type(space).__name__} must return a tuple or list of texts, got "
            f"{shown(decisions)}."
        )
    return tuple(decisions)


def _options(space: SequenceSpace, prefix: tuple[str, ...]) -> tuple[str, ...]:
    options = space.options(prefix)
    if not isinstance(options, (tuple, list)):
        raise UsageError(
            f"options(prefix) of {type(space).__name__} must return a tuple or list of texts, in a fixed "
            f"order, got {shown(options)}."
        )
    if not options:
        raise UsageError(
            f"options(prefix) of {type(space).__name__} must return what may follow, or END alone, got "
            f"nothing after {prefix!r}."
        )
    return options
