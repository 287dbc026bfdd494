"""Which cells a net has, of which widths, as nets and their costs read it; a light module.

Source: Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018, figure
2; Liu et al., "Progressive Neural Architecture Search", ECCV 2018, figure 1; released code of both.
"""

from __future__ import annotations

from dataclasses import dataclass

from nas_ray.spaces.darts_cells import INPUTS, CellPlan, Genotype
from nas_ray.spaces.stems import STRIDED

STAGES = 3
"""Resolutions at which cells repeat."""

STEM_WIDTHS, LARGE_STEM = 3, 32
"""Channels of the stem for small images, in those of the first cells, and of that for large images."""


@dataclass(frozen=True)
class Stack:
    """The cells of a net and how often they repeat.

    Args:
        genotype: the cell that keeps the resolution and the one that halves it.
        channels: F, width of the first cells; it doubles at each reduction.
        cells: N, cells of each of the three stages.
        one_cell: whether reductions are the first of the N cells of a stage, as in PNAS, and do not come on
            top of them, as in NASNet.
        stem: `small` or `strided`.
        stem_channels: of the first convolution.
    """

    genotype: Genotype
    channels: int
    cells: int
    one_cell: bool
    stem: str
    stem_channels: int

    def stages(self) -> list[list[tuple[bool, int]]]:
        """Returns of the stem and of each stage the cells: whether they are reductions, and their width."""
        f = self.channels
        large = self.stem == STRIDED
        made = [[(True, max(2, f // 4)), (True, max(2, f // 2))] if large else []]
        for stage in range(STAGES):
            reductions = 1 if stage else 0
            normal = self.cells - (reductions if self.one_cell else 0)
            made.append([(True, f << stage)] * reductions + [(False, f << stage)] * normal)
        return made

    def places(self) -> list[Place]:
        """Returns the cells in their order."""
        widths, halved, made = (self.stem_channels, self.stem_channels), False, list[Place]()
        for reduction, channels in (cell for stage in self.stages() for cell in stage):
            plan = self.genotype.reduce if reduction else self.genotype.normal
            made.append(Place(plan, channels, reduction, widths, halved, first=not made))
            widths, halved = (widths[1], made[-1].width), reduction
        return made

    @property
    def auxiliary_place(self) -> int:
        """The cell before the second reduction, those of the stem aside."""
        return sum(map(len, self.stages()[:STAGES])) - 1


@dataclass(frozen=True)
class Place:
    """A cell at its place in a net.

    Args:
        plan: its blocks.
        channels: F there.
        reduction: whether it halves the resolution: operations on both inputs have stride 2.
        widths: of what the last cell but one and what the last cell gave.
        halved: whether the last cell halved the resolution, so that the first input is halved here.
        first: whether it is the first cell: both inputs are the output of the stem, and one stays as it is.
    """

    plan: CellPlan
    channels: int
    reduction: bool
    widths: tuple[int, int]
    halved: bool
    first: bool

    @property
    def keeps_first(self) -> bool:
        """Whether the first input needs no convolution."""
        return self.first or (self.widths[0] == self.channels and not self.halved)

    @property
    def states(self) -> tuple[int, ...]:
        """Widths of both inputs and all blocks, as operations read them."""
        blocks = range(INPUTS, INPUTS + len(self.plan.nodes))
        first = self.widths[0] if self.first else self.channels
        return first, self.channels, *(self.channels * (1 + (b in self.plan.joined)) for b in blocks)

    def stride(self, source: int) -> int:
        """Returns the stride of an operation on a state."""
        return 2 if self.reduction and source < INPUTS else 1

    @property
    def matched(self) -> tuple[int, ...]:
        """The states of the output that need a convolution to have the size and the width of the others."""
        changed = (s for s in self.plan.output if s < INPUTS)
        return tuple(s for s in changed if self.reduction or self.states[s] != self.channels)

    @property
    def width(self) -> int:
        """Channels of the output."""
        return sum(self.channels if s in self.matched else self.states[s] for s in self.plan.output)
