"""NASNet: two cells of blocks, each with two of 13 operations on earlier states, added or concatenated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT
from nas_ray.spaces.darts_cells import LONGEST, CellPlan, Genotype, cells_written, read_cells
from nas_ray.spaces.darts_sets import counted_ops
from nas_ray.spaces.nasnet.cells import Block, decided, decisions_of, plan_of, unread
from nas_ray.spaces.nasnet.sets import NASNET_OPS, SHORT
from nas_ray.spaces.nasnet.space import SearchedCells
from nas_ray.spaces.sequences import check_decisions

CELLS = ("normal", "reduce")


class Nasnet(SearchedCells):
    """The archs of NASNet: a cell of five blocks that keeps the resolution, and one that halves it.

    An arch is written `normal:CELL;reduce:CELL`, each CELL with a group for each of its blocks, which make
    the states 2 to 6, and in it two times `operation~state`, and `concat` where the two maps are put behind
    each other and not added: `|sep_conv_3x3~0|skip_connect~1|+|max_pool_3x3~0|conv_1x1~2|concat|+...`. States
    0 and 1 are what the last cell but one and the last cell gave. All states that no block reads are the
    output, behind each other. Archs that differ in the order of halves or of blocks alone are one arch, which
    is written in the smallest order.

    Source: Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018,
    section 3.1; nets as released, and operations that NASNet-A lacks as Real et al., AAAI 2019, released
    them.
    Differs: none known; what an operation does with a concatenated state, and whether such a state is widened
    or narrowed in the output, is not published: each reads all of it, and the output has all of it.

    Args:
        channels, cells, stem, stem_channels: as of `CellSizes`. Published: F = 32 and N = 2 in the search, F
            = 32 and N = 6 in the training on CIFAR-10.
        blocks: B of each cell. Published: 5.

    Raises:
        UsageError: sizes that cannot be.
    """

    name = "nasnet"
    OPS = NASNET_OPS
    FEWER, JOINS = False, True

    @property
    def blocks(self) -> int:
        """B, the blocks of each cell."""
        return self.rules.blocks

    def one_cell(self, arch: str) -> bool:
        """Returns False: reductions are cells of their own."""
        return False

    def genotype(self, arch: str) -> Genotype:
        """Returns the two cells of `arch`, with the states that are their output.

        Raises:
            UsageError: not an arch of this space.
        """
        return Genotype(*map(_with_output, self._cells(arch)))

    def _cells(self, arch: str) -> tuple[tuple[Block, ...], ...]:
        """Returns the blocks of both cells.

        Raises:
            UsageError: not an arch of this space.
        """
        TEXT.check("An arch", arch)
        read = read_cells(arch, any_order=True)
        if read is None:
            raise UsageError(
                f"An arch of {self.name} reads normal:CELL;reduce:CELL with a CELL such as |op~0|op~1|+|op~0|"
                "op~2|concat|, a group for each block and in it two operations with the states they read, "
                f"ascending, and concat where it does not add; got {arch[:LONGEST]!r}."
            )
        cells = tuple(
            self.rules.check(plan, f"The {name} cell", arch)
            for name, plan in zip(CELLS, read.cells, strict=True)
        )
        self.rules.check_order(_written(cells), arch)
        return cells

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch of decisions that are drawn uniformly; one of fewer symmetries is likelier."""
        return _written([self.rules.sample(rng) for _ in CELLS])

    def neighbors(self, arch: str) -> list[str]:
        """Returns the archs with another operation, state read or combiner in one block of one cell."""
        cells = self._cells(arch)
        normal, reduce = (plan_of(blocks).written() for blocks in cells)
        first, second = ([plan_of(c).written() for c in self.rules.neighbors(blocks)] for blocks in cells)
        near = [cells_written(other, reduce) for other in first]
        return near + [cells_written(normal, other) for other in second]

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of the 10 B decisions: two states, two operations and combiner of each block.

        The blocks of the normal cell come first. Published: 50 softmaxes in this order.
        """
        cell = [options for block in range(self.blocks) for options in self.rules.options(block)]
        return tuple(cell * len(CELLS))

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions of `arch` in its canonical order.

        Raises:
            UsageError: not an arch of this space.
        """
        return tuple(d for blocks in self._cells(arch) for d in decisions_of(blocks, combiners=True))

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions; several make the same.

        Raises:
            UsageError: another number of decisions, or one that is no option.
        """
        what = ": two states, two operations and a combiner for each block"
        check_decisions(self.name, decisions, self.choices(), what)
        half = len(decisions) // len(CELLS)
        return _written([decided(part, combiners=True) for part in (decisions[:half], decisions[half:])])

    def label(self, arch: str) -> str:
        """Returns how often each operation stands in a cell, such as `normal 5 sep3 2 skip, reduce 8 max`."""
        cells = zip(CELLS, map(plan_of, self._cells(arch)), strict=True)
        return ", ".join(f"{name} {counted_ops(plan.ops, SHORT)}" for name, plan in cells)


def _written(cells: Sequence[Sequence[Block]]) -> str:
    """Returns both cells in one string without blanks."""
    return Genotype(*map(plan_of, cells)).written()


def _with_output(blocks: Sequence[Block]) -> CellPlan:
    return replace(plan_of(blocks), concat=unread(blocks))
