"""How archs grow by one block: by what a space says of its blocks, or decision by decision.

A candidate is what may be asked for next, as its decisions, which a predictor reads. A beginning is the part
of an arch that its first blocks decide.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.base import END, BlockSpace, CellSpace, DecisionSpace, SequenceSpace, lacking
from nas_ray.spaces.needs import decision_space, sequence_space
from nas_ray.spaces.sequences import walked

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

LARGEST_GROUP = 1_000
"""Ways to decide a group of a cell; where there are more, each of its decisions is a block by itself."""

MAX_TRIES = 100
"""Draws of what a candidate leaves open, where its arch is known or falls outside of a filter."""

Decisions = tuple[str, ...]


class Growth(Protocol):
    """What progressive search asks of a space.

    Attributes:
        slots: decisions of a block, of which a predictor tells one from the other.
        by_place: whether the same decision means something else in each place of an arch.
        every: what can be decided, each by itself, where it is known; it is by place.
    """

    slots: int
    by_place: bool
    every: Sequence[Decisions]

    def beginnings(self, blocks: int, archs: Sequence[str], most: int) -> list[Decisions]:
        """Returns how the first of `archs` begin that can have more than so many blocks.

        These are `most` different beginnings at most. There is one of no blocks, whatever `archs` are.
        """

    def candidates(
        self, blocks: int, beginnings: Sequence[Decisions], rng: np.random.Generator
    ) -> list[Decisions]:
        """Returns everything of so many blocks that has one more than one of `beginnings`, each once."""

    def decisions(self, arch: str) -> Decisions:
        """Returns the decisions of an arch."""

    def arch(
        self, blocks: int, candidate: Decisions, taken: Container[str], rng: np.random.Generator
    ) -> str | None:
        """Returns the arch of a candidate of so many blocks, None where it makes none that is not taken."""


def growth_of(space: SearchSpace, user: str) -> Growth:
    """Returns how archs of `space` grow.

    Raises:
        UsageError: its archs are no sequences of decisions.
    """
    sequence = sequence_space(space, user)
    if not lacking(space, BlockSpace):
        return _ByBlocks(cast(BlockSpace, space), sequence)
    if not lacking(space, SequenceSpace):
        return _ByOptions(sequence)
    return _ByChoices(decision_space(space, user))


class _Growing:
    """What all have in common.

    Attributes:
        space: whose decisions these are.
    """

    space: SequenceSpace | DecisionSpace
    slots = 1
    by_place = False
    every: Sequence[Decisions] = ()

    def decisions(self, arch: str) -> Decisions:
        """Returns the decisions of `arch`."""
        return tuple(self.space.decisions(arch))

    def arch(
        self, blocks: int, candidate: Decisions, taken: Container[str], rng: np.random.Generator
    ) -> str | None:
        """Returns the arch of a candidate, of which what is open is drawn again where that makes none."""
        tried: Decisions | None = candidate
        for _ in range(MAX_TRIES):
            if tried is None:
                break
            arch = self._assembled(tried)
            if arch is not None and arch not in taken:
                return arch
            tried = self._drawn_again(blocks, candidate, rng)
        return None

    def _assembled(self, decisions: Decisions) -> str | None:
        try:
            return self.space.assemble(decisions)
        except UsageError:  # outside of a filter
            return None

    def _drawn_again(self, blocks: int, candidate: Decisions, rng: np.random.Generator) -> Decisions | None:
        """Returns `candidate` with another draw of what is open, None if nothing is."""
        return None


class _ByBlocks(_Growing):
    """Archs that are archs with any number of blocks."""

    def __init__(self, space: BlockSpace, sequence: SequenceSpace) -> None:
        self.space, self._blocks = sequence, space
        first = next(iter(space.one_block()), None)
        self.slots = len(self.decisions(first)) if first is not None else 1

    def beginnings(self, blocks: int, archs: Sequence[str], most: int) -> list[Decisions]:
        """Returns the first of `archs` that have so many blocks."""
        if not blocks:
            return [()]
        of_them = (arch for arch in archs if self._blocks.blocks(arch) == blocks)
        return [self.decisions(arch) for arch in itertools.islice(of_them, most)]

    def candidates(
        self, blocks: int, beginnings: Sequence[Decisions], rng: np.random.Generator
    ) -> list[Decisions]:
        """Returns the archs that the space makes of them."""
        grown = (
            self._blocks.grown(self.space.assemble(beginning)) if beginning else self._blocks.one_block()
            for beginning in beginnings
        )
        return [self.decisions(arch) for arch in dict.fromkeys(itertools.chain.from_iterable(grown))]


class _ByOptions(_Growing):
    """Sequences of any length: a block is a decision, and what follows the last block is drawn."""

    def __init__(self, space: SequenceSpace) -> None:
        self.space: SequenceSpace = space

    def beginnings(self, blocks: int, archs: Sequence[str], most: int) -> list[Decisions]:
        """Returns the first decisions of archs that have as many."""
        if not blocks:
            return [()]
        long = (decisions for arch in archs if len(decisions := self.decisions(arch)) >= blocks)
        return _distinct((decisions[:blocks] for decisions in long), most)

    def candidates(
        self, blocks: int, beginnings: Sequence[Decisions], rng: np.random.Generator
    ) -> list[Decisions]:
        """Returns each beginning with each of its options, of which one may be its end."""
        made = (
            beginning if option == END else _drawn_to_end(self.space, (*beginning, option), rng)
            for beginning in beginnings
            for option in self.space.options(beginning)
        )
        return list(dict.fromkeys(made))

    def _drawn_again(self, blocks: int, candidate: Decisions, rng: np.random.Generator) -> Decisions | None:
        return _drawn_to_end(self.space, candidate[:blocks], rng) if len(candidate) > blocks else None


class _ByChoices(_Growing):
    """Archs of one length: a block is a group of a cell or a decision, and later blocks are drawn."""

    by_place = True

    def __init__(self, space: DecisionSpace) -> None:
        self.space: DecisionSpace = space
        self._choices = space.choices()
        self._blocks = _blocks_of(space)
        self.every = [(option,) for option in itertools.chain(*self._choices)]

    def beginnings(self, blocks: int, archs: Sequence[str], most: int) -> list[Decisions]:
        """Returns what archs decide in their first blocks, unless these are all."""
        if not blocks:
            return [()]
        if blocks == len(self._blocks):
            return []
        places = list(itertools.chain(*self._blocks[:blocks]))
        every = map(self.decisions, archs)
        return _distinct((tuple(decisions[place] for place in places) for decisions in every), most)

    def candidates(
        self, blocks: int, beginnings: Sequence[Decisions], rng: np.random.Generator
    ) -> list[Decisions]:
        """Returns each beginning with each way to decide its next block."""
        *before, own = self._blocks[:blocks]
        ways = list(itertools.product(*(self._choices[place] for place in own)))
        columns: dict[int, list[str]] = {}
        for number, place in enumerate(itertools.chain(*before)):
            columns[place] = [beginning[number] for beginning in beginnings for _ in ways]
        for number, place in enumerate(own):
            columns[place] = [way[number] for way in ways] * len(beginnings)
        for place in itertools.chain(*self._blocks[blocks:]):
            options = self._choices[place]
            drawn = rng.integers(len(options), size=len(ways) * len(beginnings))
            columns[place] = [options[number] for number in drawn.tolist()]
        return list(dict.fromkeys(zip(*(columns[place] for place in sorted(columns)), strict=True)))

    def _drawn_again(self, blocks: int, candidate: Decisions, rng: np.random.Generator) -> Decisions | None:
        drawn = list(candidate)
        for place in itertools.chain(*self._blocks[blocks:]):
            drawn[place] = self._choices[place][int(rng.integers(len(self._choices[place])))]
        return tuple(drawn) if blocks < len(self._blocks) else None


def _drawn_to_end(space: SequenceSpace, start: Decisions, rng: np.random.Generator) -> Decisions:
    """Returns decisions that begin with `start`; each further one is drawn from the options there."""
    return walked(space, lambda prefix, options: options[int(rng.integers(len(options)))], start)


def _blocks_of(space: DecisionSpace) -> tuple[tuple[int, ...], ...]:
    """Returns the places of the decisions of each block."""
    choices = space.choices()
    if lacking(space, CellSpace):
        return tuple((place,) for place in range(len(choices)))
    blocks: list[tuple[int, ...]] = []
    for group in cast(CellSpace, space).groups():
        small = math.prod(len(choices[place]) for place in group) <= LARGEST_GROUP
        blocks += [tuple(group)] if small else [(place,) for place in group]
    return tuple(blocks)


def _distinct(beginnings: Iterable[Decisions], most: int) -> list[Decisions]:
    """Returns the first `most` different ones."""
    found: dict[Decisions, None] = {}
    for beginning in beginnings:
        found[beginning] = None
        if len(found) == most:
            break
    return list(found)
