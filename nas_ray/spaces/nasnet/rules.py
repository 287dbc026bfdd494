"""Which cells a space has: how many blocks, which operations and combiners; drawn, checked and changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.darts_cells import INPUTS, LONGEST, CellPlan
from nas_ray.spaces.nasnet.cells import (
    ADDED,
    COMBINERS,
    Block,
    blocks_of,
    canonical,
    changed,
    grown,
    plan_of,
    shrunk,
)

MOST_BLOCKS = 10
"""Blocks of a cell above which its canonical order could take long."""


@dataclass(frozen=True)
class CellRules:
    """The cells of a space.

    Args:
        name: of the space, for messages.
        ops: what a half of a block may do.
        blocks: B.
        fewer: whether a cell may have fewer blocks.
        joins: whether a block may put its two maps behind each other.
    """

    name: str
    ops: tuple[str, ...]
    blocks: int
    fewer: bool
    joins: bool

    @property
    def combiners(self) -> tuple[str, ...]:
        """What a block may do with its two maps."""
        return COMBINERS if self.joins else (ADDED,)

    def options(self, block: int) -> tuple[tuple[str, ...], ...]:
        """Returns the options of the decisions of a block, from 0: two states, two operations, combiner."""
        states = tuple(map(str, range(INPUTS + block)))
        return (states, states, self.ops, self.ops, *((self.combiners,) if self.joins else ()))

    def check(self, plan: CellPlan, cell: str, arch: str) -> tuple[Block, ...]:
        """Returns the blocks of a cell of an arch, known to be one of the space.

        Raises:
            UsageError: another number of blocks, an operation or a combiner that is not there, or an order
                that is not the canonical one.
        """
        blocks = blocks_of(plan)
        if len(blocks) > self.blocks or (len(blocks) < self.blocks and not self.fewer):
            most = "at most " if self.fewer else ""
            raise UsageError(f"{cell} of {self.name} has {most}{self.blocks} blocks, got {len(blocks)}.")
        wrong = next((op for op in plan.ops if op not in self.ops), None)
        if wrong is not None:
            raise UsageError(
                f"{cell} of {self.name} must have operations of {', '.join(self.ops)}, got {wrong}."
            )
        if plan.joined and not self.joins:
            raise UsageError(
                f"The blocks of {self.name} add their two maps, got concat in {arch[:LONGEST]!r}."
            )
        if (right := canonical(blocks)) != blocks:
            raise UsageError(
                f"{cell} of {self.name} must be in its canonical order, which is {plan_of(right).written()}, "
                f"got {plan.written()}."
            )
        return blocks

    def check_order(self, right: str, arch: str) -> None:
        """Checks that an arch is written as it should be: `right`, with the halves of its blocks in order.

        Raises:
            UsageError: it is not.
        """
        if arch != right:
            raise UsageError(
                f"An arch of {self.name} must be in its canonical order, which is {right}, got {arch}."
            )

    def sample(self, rng: np.random.Generator) -> tuple[Block, ...]:
        """Returns a cell whose decisions are drawn uniformly; of numbers of blocks, by how many there are.

        A cell with fewer symmetries can be drawn in more ways.
        """
        count = self.blocks
        if self.fewer:
            ways = [math.prod(self._halves(b) ** 2 for b in range(n)) for n in range(1, self.blocks + 1)]
            count = 1 + int(rng.choice(self.blocks, p=np.array(ways, dtype=float) / float(sum(ways))))
        drawn = []
        for block in range(count):
            states = rng.integers(INPUTS + block, size=2).tolist()
            one, other = ((s, self.ops[op]) for s, op in zip(states, self._ops(rng), strict=True))
            drawn.append((one, other, self.joins and bool(rng.integers(2))))
        return canonical(drawn)

    def _halves(self, block: int) -> int:
        """Returns how many halves a block, from 0, may have."""
        return (INPUTS + block) * len(self.ops)

    def _ops(self, rng: np.random.Generator) -> list[int]:
        drawn: list[int] = rng.integers(len(self.ops), size=2).tolist()
        return drawn

    def neighbors(self, blocks: Sequence[Block]) -> list[tuple[Block, ...]]:
        """Returns the cells that differ in one operation, state read or combiner, or by one block if allowed.

        Each once, none of them `blocks`, which is among the neighbours of each.
        """
        near = dict.fromkeys(changed(blocks, self.ops, joinable=self.joins))
        if self.fewer:
            near.update(dict.fromkeys([*shrunk(blocks), *self.grown(blocks)]))
        near.pop(tuple(blocks), None)
        return list(near)

    def grown(self, blocks: Sequence[Block]) -> list[tuple[Block, ...]]:
        """Returns the cells with one block more, each once; none where that would be too many."""
        return list(dict.fromkeys(grown(blocks, self.ops))) if len(blocks) < self.blocks else []
