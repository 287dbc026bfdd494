"""Cells of papers by name in the nets they were published in, as a space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from nas_ray.spaces.by_name import NamedArchs
from nas_ray.spaces.darts_cells import Genotype
from nas_ray.spaces.darts_published import cell
from nas_ray.spaces.nasnet.cells import blocks_of, canonical, plan_of
from nas_ray.spaces.nasnet.space import CellSizes


@dataclass(frozen=True)
class Published:
    """The cells of a paper.

    Args:
        genotype: as released, with the states that are put behind each other as the output. They are not in
            all of them the ones that no block reads.
        one_cell: whether reductions are among the N cells of a stage.
    """

    genotype: Genotype
    one_cell: bool = False


_PNASNET = cell("sep5~0 max~0 sep7~1 max~1 sep5~1 sep3~1 sep3~4 max~1 sep3~0 skip~1")

PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        # Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018.
        "nasnet-a": Published(
            Genotype(
                cell(
                    "sep5~1 sep3~0 sep5~0 sep3~0 avg~1 skip~0 avg~0 avg~0 sep3~1 skip~1", (0, 2, 3, 4, 5, 6)
                ),
                cell("sep5~1 sep7~0 max~1 sep7~0 avg~1 sep5~0 skip~3 avg~2 sep3~2 max~1", (3, 4, 5, 6)),
            )
        ),
        # Liu et al., "Progressive Neural Architecture Search", ECCV 2018: one cell for both.
        "pnasnet-5": Published(Genotype(_PNASNET, _PNASNET), one_cell=True),
        # Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019.
        "amoebanet-a": Published(
            Genotype(
                cell("avg~1 max~1 sep3~0 skip~0 skip~1 avg~0 sep3~1 sep5~2 avg~5 sep3~1", (0, 3, 4, 6)),
                cell("sep3~0 avg~1 max~1 sep7~2 max~0 max~1 sep3~4 conv7~1 avg~0 sep7~1", (2, 3, 4, 5, 6)),
            )
        ),
        "amoebanet-c": Published(
            Genotype(
                cell("avg~1 sep3~1 skip~1 sep3~1 avg~2 sep3~0 skip~1 sep3~0 avg~3 sep3~1", (0, 2, 4, 5, 6)),
                cell("max~1 max~1 sep7~2 sep3~1 sep7~1 max~0 sep5~4 sep5~4 max~0 sep3~0", (1, 2, 3, 4, 5, 6)),
            )
        ),
    }
)
"""Cells by name, as released code has them. What the last cell gave is state 0 there and state 1 here."""


def searchable(name: str) -> str:
    """Returns the arch of `nasnet`, or of `pnas`, with the blocks of a cell of a paper.

    That of `pnas` is the same net. Those of `nasnet` have the output of that space, the states that no block
    reads.

    Raises:
        UsageError: unknown name.
    """
    published: Published = NasnetCells._named(name)
    normal, reduce = (plan_of(canonical(blocks_of(plan))) for plan in published.genotype.cells)
    return normal.written() if published.one_cell else Genotype(normal, reduce).written()


class NasnetCells(NamedArchs, CellSizes):
    """The cells of papers in the nets of their papers; an arch is a name of `PUBLISHED`.

    Source: the papers beside the names; released code of NASNet, PNASNet-5 and AmoebaNet.
    Differs: as of `BlockNet`.

    Args:
        channels, cells, stem, stem_channels: as of `CellSizes`.
    """

    name = "nasnet-cells"
    NAMED: ClassVar[Mapping[str, Published]] = PUBLISHED
    KIND: ClassVar[str] = "cell of a paper"

    def one_cell(self, arch: str) -> bool:
        """Returns whether reductions are among the N cells of a stage."""
        published: Published = self._named(arch)
        return published.one_cell

    def genotype(self, arch: str) -> Genotype:
        """Returns the cells of a paper.

        Raises:
            UsageError: unknown name.
        """
        published: Published = self._named(arch)
        return published.genotype
