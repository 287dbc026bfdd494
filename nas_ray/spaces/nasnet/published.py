"""Cells of papers by name in the nets they were published in, as a space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.errors.checks import TEXT
from nas_ray.spaces.darts_cells import CellPlan, Genotype
from nas_ray.spaces.nasnet.cells import blocks_of, canonical, plan_of
from nas_ray.spaces.nasnet.sets import SHORT
from nas_ray.spaces.nasnet.space import CellSizes
from nas_ray.spaces.stems import SMALL

_LONG = {short: op for op, short in SHORT.items()}


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


def _cell(text: str, output: tuple[int, ...] | None = None) -> CellPlan:
    """Returns a cell of two edges for each block, such as `sep3~0 skip~1`, in the released order."""
    edges = [edge.split("~") for edge in text.split()]
    return CellPlan.of([(_LONG[op], int(state)) for op, state in edges], output)


_PNASNET = _cell("sep5~0 max~0 sep7~1 max~1 sep5~1 sep3~1 sep3~4 max~1 sep3~0 skip~1")

PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        # Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018.
        "nasnet-a": Published(
            Genotype(
                _cell(
                    "sep5~1 sep3~0 sep5~0 sep3~0 avg~1 skip~0 avg~0 avg~0 sep3~1 skip~1", (0, 2, 3, 4, 5, 6)
                ),
                _cell("sep5~1 sep7~0 max~1 sep7~0 avg~1 sep5~0 skip~3 avg~2 sep3~2 max~1", (3, 4, 5, 6)),
            )
        ),
        # Liu et al., "Progressive Neural Architecture Search", ECCV 2018: one cell for both.
        "pnasnet-5": Published(Genotype(_PNASNET, _PNASNET), one_cell=True),
        # Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019.
        "amoebanet-a": Published(
            Genotype(
                _cell("avg~1 max~1 sep3~0 skip~0 skip~1 avg~0 sep3~1 sep5~2 avg~5 sep3~1", (0, 3, 4, 6)),
                _cell("sep3~0 avg~1 max~1 sep7~2 max~0 max~1 sep3~4 conv7~1 avg~0 sep7~1", (2, 3, 4, 5, 6)),
            )
        ),
        "amoebanet-c": Published(
            Genotype(
                _cell("avg~1 sep3~1 skip~1 sep3~1 avg~2 sep3~0 skip~1 sep3~0 avg~3 sep3~1", (0, 2, 4, 5, 6)),
                _cell(
                    "max~1 max~1 sep7~2 sep3~1 sep7~1 max~0 sep5~4 sep5~4 max~0 sep3~0", (1, 2, 3, 4, 5, 6)
                ),
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
    published = _named(name)
    normal, reduce = (plan_of(canonical(blocks_of(plan))) for plan in published.genotype.cells)
    return normal.written() if published.one_cell else Genotype(normal, reduce).written()


class NasnetCells(CellSizes):
    """The cells of papers in the nets of their papers; an arch is a name of `PUBLISHED`.

    Source: the papers beside the names; released code of NASNet, PNASNet-5 and AmoebaNet.
    Differs: as of `BlockNet`.

    Args:
        channels, cells, stem, stem_channels: as of `CellSizes`.
    """

    name = "nasnet-cells"

    def __init__(
        self, channels: int = 16, cells: int = 2, stem: str = SMALL, stem_channels: int | None = None
    ) -> None:
        super().__init__(channels, cells, stem, stem_channels)

    def one_cell(self, arch: str) -> bool:
        """Returns whether reductions are among the N cells of a stage."""
        return _named(arch).one_cell

    def genotype(self, arch: str) -> Genotype:
        """Returns the cells of a paper.

        Raises:
            UsageError: unknown name.
        """
        return _named(arch).genotype

    def __len__(self) -> int:
        return len(PUBLISHED)

    def __iter__(self) -> Iterator[str]:
        return iter(PUBLISHED)

    def __contains__(self, arch: object) -> bool:
        return isinstance(arch, str) and arch in PUBLISHED

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a name drawn uniformly."""
        return str(rng.choice(list(PUBLISHED)))

    def neighbors(self, arch: str) -> list[str]:
        """Returns all other names: no cell is nearer than another."""
        return [name for name in PUBLISHED if name != arch]


def _named(arch: str) -> Published:
    """Returns the cells of a paper.

    Raises:
        UsageError: unknown name.
    """
    TEXT.check("An arch", arch)
    if arch not in PUBLISHED:
        raise UsageError(unknown_name("cell of a paper", arch, list(PUBLISHED)))
    return PUBLISHED[arch]
