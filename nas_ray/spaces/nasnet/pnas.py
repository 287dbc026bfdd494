"""PNAS: one cell of up to five blocks, each the sum of two of 8 operations on earlier states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT
from nas_ray.spaces.base import END
from nas_ray.spaces.darts_cells import LONGEST, Genotype, read_cell
from nas_ray.spaces.darts_sets import counted_ops
from nas_ray.spaces.nasnet.cells import Block, decided, decisions_of, plan_of
from nas_ray.spaces.nasnet.sets import PNAS_OPS, SHORT
from nas_ray.spaces.nasnet.space import SearchedCells

EACH = 4
"""Decisions of a block: two states and two operations."""


class Pnas(SearchedCells):
    """The archs of PNAS: one cell of one to five blocks, which with a stride of 2 halves the resolution too.

    An arch is written as a cell of `Nasnet` is, without `concat`: `|sep_conv_3x3~0|skip_connect~1|+...`. All
    its blocks are the output, behind each other. Archs that differ in the order of halves or of blocks alone
    are one arch, so there are 136 of one block.

    Source: Liu et al., "Progressive Neural Architecture Search", ECCV 2018, section 3.1; nets as released,
    the operations that PNASNet-5 lacks as Real et al., AAAI 2019, released them.
    Differs: none known; of the N cells of a stage the first halves the resolution, as in the release.

    Args:
        channels, cells, stem, stem_channels: as of `CellSizes`. Published: F = 24 and N = 2 in the search, F
            = 48 and N = 3 in the training on CIFAR-10.
        blocks: B, the most of a cell. Published: 5.

    Raises:
        UsageError: sizes that cannot be.
    """

    name = "pnas"
    OPS = PNAS_OPS
    FEWER, JOINS = True, False

    @property
    def most_blocks(self) -> int:
        """B, the most blocks of a cell."""
        return self.rules.blocks

    def one_cell(self, arch: str) -> bool:
        """Returns True: the same cell halves the resolution."""
        return True

    def genotype(self, arch: str) -> Genotype:
        """Returns the cell of `arch`, twice.

        Raises:
            UsageError: not an arch of this space.
        """
        plan = plan_of(self._cell(arch))
        return Genotype(plan, plan)

    def _cell(self, arch: str) -> tuple[Block, ...]:
        """Returns the blocks of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        TEXT.check("An arch", arch)
        plan = read_cell(arch, any_order=True)
        if plan is None:
            raise UsageError(
                f"An arch of {self.name} reads |op~0|op~1|+|op~0|op~2|, a group for each block and in it two "
                f"operations with the states they read, ascending; got {arch[:LONGEST]!r}."
            )
        blocks = self.rules.check(plan, "A cell", arch)
        self.rules.check_order(plan_of(blocks).written(), arch)
        return blocks

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch whose sequence of decisions is drawn uniformly from all of them.

        So nearly all have B blocks, and one of fewer symmetries is likelier.
        """
        return plan_of(self.rules.sample(rng)).written()

    def neighbors(self, arch: str) -> list[str]:
        """Returns the archs with another operation or state read in one block, or one block more or less.

        One less is one that no other reads.
        """
        return [plan_of(other).written() for other in self.rules.neighbors(self._cell(arch))]

    def blocks(self, arch: str) -> int:
        """Returns how many blocks `arch` has."""
        return len(self._cell(arch))

    def one_block(self) -> list[str]:
        """Returns every arch of one block."""
        return [plan_of(one).written() for one in self.rules.grown(())]

    def grown(self, arch: str) -> list[str]:
        """Returns every arch that is `arch` with one block more, which may read any of its states."""
        return [plan_of(more).written() for more in self.rules.grown(self._cell(arch))]

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns what may follow: states, operations, and the end behind each block."""
        block, place = divmod(len(prefix), EACH)
        if block >= self.most_blocks:
            return (END,)
        return (*self.rules.options(block)[place], *((END,) if block and not place else ()))

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns two states and two operations of each block of `arch`, in its canonical order.

        Raises:
            UsageError: not an arch of this space.
        """
        return decisions_of(self._cell(arch), combiners=False)

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions; several make the same.

        Raises:
            UsageError: no whole blocks, or a decision that is no option.
        """
        given = tuple(decisions)
        whole = given and not len(given) % EACH and len(given) <= EACH * self.most_blocks
        if not whole or any(d not in self.options(given[:place]) for place, d in enumerate(given)):
            raise UsageError(
                f"An arch of {self.name} is made of two states and two operations for each of 1 to "
                f"{self.most_blocks} blocks, as options() names them; got "
                f"{', '.join(map(str, given)) or 'none'}."
            )
        return plan_of(decided(given, combiners=False)).written()

    def label(self, arch: str) -> str:
        """Returns its blocks and how often each operation stands in it, such as `2 blocks, 3 sep3 1 max`."""
        plan = plan_of(self._cell(arch))
        count = len(plan.nodes)
        return f"{count} block{'s' if count > 1 else ''}, {counted_ops(plan.ops, SHORT)}"
