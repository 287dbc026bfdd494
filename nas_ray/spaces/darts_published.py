"""Cells of papers by name, as a space: proxies, searchers and trainings treat each as an arch."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from nas_ray.spaces.by_name import NamedArchs
from nas_ray.spaces.darts import check_sizes
from nas_ray.spaces.darts_cells import CellPlan, Genotype
from nas_ray.spaces.darts_costs import count_cost
from nas_ray.spaces.darts_sets import SHORT
from nas_ray.spaces.stems import SMALL, stem_for

if TYPE_CHECKING:
    from torch import nn

_LONG = {short: op for op, short in SHORT.items()}


def cell(text: str, concat: tuple[int, ...] | None = None) -> CellPlan:
    """Returns a cell of two edges for each node, such as `sep3~0 skip~1`, as released code orders them."""
    edges = [edge.split("~") for edge in text.split()]
    return CellPlan.of([(_LONG[op], int(source)) for op, source in edges], concat)


_PNAS = cell("sep5~0 max~0 sep7~1 max~1 sep5~1 sep3~1 sep3~4 max~1 sep3~0 skip~1")

PUBLISHED: Mapping[str, Genotype] = MappingProxyType(
    {
        # Liu et al., "DARTS", ICLR 2019: first and second order.
        "darts-v1": Genotype(
            cell("sep3~1 sep3~0 skip~0 sep3~1 skip~0 sep3~1 sep3~0 skip~2"),
            cell("max~0 max~1 skip~2 max~0 max~0 skip~2 skip~2 avg~0"),
        ),
        "darts-v2": Genotype(
            cell("sep3~0 sep3~1 sep3~0 sep3~1 sep3~1 skip~0 skip~0 dil3~2"),
            cell("max~0 max~1 skip~2 max~1 max~0 skip~2 skip~2 max~1"),
        ),
        # Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", CVPR 2019.
        "gdas": Genotype(
            cell("skip~0 skip~1 skip~0 sep5~2 sep3~3 skip~0 sep5~4 sep3~3"),
            cell("sep5~0 sep3~1 sep5~2 sep5~1 dil5~2 sep3~1 sep5~0 sep5~1"),
        ),
        # Xu et al., "PC-DARTS", ICLR 2020: found on CIFAR-10 and on ImageNet.
        "pc-darts": Genotype(
            cell("sep3~1 skip~0 sep3~0 dil3~1 sep5~0 sep3~1 avg~0 dil3~1"),
            cell("sep5~1 max~0 sep5~1 sep5~2 sep3~0 sep3~3 sep3~1 sep3~2"),
        ),
        "pc-darts-imagenet": Genotype(
            cell("skip~1 sep3~0 sep3~0 skip~1 sep3~1 sep3~3 sep3~1 dil5~4"),
            cell("sep3~0 skip~1 dil5~2 max~1 sep3~2 sep3~1 sep5~0 sep3~3"),
        ),
        # Chen et al., "Progressive Differentiable Architecture Search", ICCV 2019.
        "p-darts": Genotype(
            cell("skip~0 dil3~1 skip~0 sep3~1 sep3~1 sep3~3 sep3~0 dil5~4"),
            cell("avg~0 sep5~1 sep3~0 dil5~2 max~0 dil3~1 dil3~1 dil5~3"),
        ),
        # Chen et al., "DrNAS", ICLR 2021: found on CIFAR-10 and on ImageNet.
        "drnas": Genotype(
            cell("sep3~0 sep5~1 sep3~1 sep3~2 skip~0 sep3~1 sep3~2 dil5~3"),
            cell("max~0 sep5~1 dil5~2 sep5~1 sep5~1 dil5~3 skip~4 sep5~1"),
        ),
        "drnas-imagenet": Genotype(
            cell("sep3~1 sep3~0 sep3~0 sep3~1 sep3~0 dil3~3 skip~0 sep3~1"),
            cell("max~0 sep3~1 sep3~0 skip~2 sep3~0 sep3~2 sep3~3 sep3~1"),
        ),
        # Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018.
        "nasnet-a": Genotype(
            cell("sep5~1 sep3~0 sep5~0 sep3~0 avg~1 skip~0 avg~0 avg~0 sep3~1 skip~1"),
            cell("sep5~1 sep7~0 max~1 sep7~0 avg~1 sep5~0 skip~3 avg~2 sep3~2 max~1", (4, 5, 6)),
        ),
        # Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019.
        "amoebanet-a": Genotype(
            cell("avg~0 max~1 sep3~0 sep5~2 sep3~0 avg~3 sep3~1 skip~1 skip~0 avg~1", (4, 5, 6)),
            cell("avg~0 sep3~1 max~0 sep7~2 sep7~0 avg~1 max~0 max~1 conv7~0 sep3~5", (3, 4, 6)),
        ),
        # Liu et al., "Progressive Neural Architecture Search", ECCV 2018: one cell for both.
        "pnas": Genotype(_PNAS, _PNAS),
    }
)
"""Cells by name, as released code has them. All but the last three are archs of the space `darts`, where they
read `PUBLISHED[name].written()`."""


class DartsCells(NamedArchs):
    """The cells of papers in the skeleton of DARTS; an arch is a name of `PUBLISHED`.

    Source: Liu et al., "DARTS", ICLR 2019, which compares NASNet-A and AmoebaNet-A in its own skeleton too.
    Differs: the stems and the auxiliary heads of NASNet-A, AmoebaNet-A and PNAS are those of DARTS.

    Args:
        channels, cells, stem: as of `Darts`.
    """

    name = "darts-cells"
    NAMED: ClassVar[Mapping[str, Genotype]] = PUBLISHED
    KIND: ClassVar[str] = "cell of a paper"

    def __init__(self, channels: int = 16, cells: int = 8, stem: str = SMALL) -> None:
        check_sizes(self.name, channels, cells, stem)
        self.channels, self.cells, self.stem = channels, cells, stem

    def for_image_size(self, image_size: int) -> DartsCells:
        """Returns the same cells with the stem for square images of `image_size` pixels."""
        other = copy.copy(self)
        other.stem = stem_for(image_size)
        return other

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
        """Returns parameters, and multiply-adds of one image `(3, H, W)`, by formula."""
        return count_cost(self._named(arch), num_classes, self.channels, self.cells, self.stem, image)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`.

        Raises:
            UsageError: unknown name.
        """
        from nas_ray.spaces.darts_nets import DartsNet

        return DartsNet(self._named(arch), num_classes, self.channels, self.cells, self.stem)
