"""What the spaces of NASNet and PNAS share: sizes of nets, and nets."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

from nas_ray.errors import UsageError
from nas_ray.errors.checks import whole
from nas_ray.spaces.darts import MOST_CELLS, MOST_CHANNELS, check_sizes
from nas_ray.spaces.darts_cells import Genotype
from nas_ray.spaces.nasnet.costs import count_cost
from nas_ray.spaces.nasnet.layout import LARGE_STEM, STAGES, STEM_WIDTHS, Stack
from nas_ray.spaces.nasnet.rules import MOST_BLOCKS, CellRules
from nas_ray.spaces.stems import SMALL, STRIDED, stem_for

if TYPE_CHECKING:
    from torch import nn

Made = TypeVar("Made", bound="CellSizes")


def check_up_to(name: str, value: object, most: int) -> None:
    """Checks a whole number from 1.

    Raises:
        UsageError: it is none, or above `most`.
    """
    whole(1).check(name, value)
    if value > most:  # type: ignore[operator]  # a whole number
        raise UsageError(f"{name} must be at most {most:,}, got {value}.")


class CellSizes(ABC):
    """A space of cells of blocks; a subclass says which cells an arch has.

    Args:
        channels: F, width of the first cells; it doubles at each of two reductions.
        cells: N, cells of each of the three stages.
        stem: `small`, as published for CIFAR, or `strided`, as published for ImageNet.
        stem_channels: width of the first convolution; None for 3 F, and for 32 of the strided stem.

    Raises:
        UsageError: sizes that cannot be.
    """

    name: ClassVar[str]

    def __init__(
        self, channels: int = 16, cells: int = 2, stem: str = SMALL, stem_channels: int | None = None
    ) -> None:
        check_sizes(self.name, channels, cells, stem)
        check_up_to(f"The cells of {self.name}", cells, MOST_CELLS // STAGES)
        if stem_channels is not None:
            check_up_to(f"The stem_channels of {self.name}", stem_channels, MOST_CHANNELS)
        self.channels, self.cells, self.stem, self.stem_channels = channels, cells, stem, stem_channels

    def for_image_size(self: Made, image_size: int) -> Made:
        """Returns the same archs with the stem for square images of `image_size` pixels."""
        other = copy.copy(self)
        other.stem = stem_for(image_size)
        return other

    @abstractmethod
    def genotype(self, arch: str) -> Genotype:
        """Returns the cell of `arch` that keeps the resolution and the one that halves it.

        Raises:
            UsageError: not an arch of this space.
        """

    @abstractmethod
    def one_cell(self, arch: str) -> bool:
        """Returns whether the reductions of an arch are among the N cells of a stage."""

    def stack(self, arch: str) -> Stack:
        """Returns the cells of the net of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        usual = LARGE_STEM if self.stem == STRIDED else STEM_WIDTHS * self.channels
        cells = self.genotype(arch)
        sizes = self.channels, self.cells, self.one_cell(arch), self.stem, self.stem_channels or usual
        return Stack(cells, *sizes)

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
        """Returns parameters, and multiply-adds of one image `(3, H, W)`, by formula."""
        return count_cost(self.stack(arch), num_classes, image)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`.

        Raises:
            UsageError: not an arch of this space.
        """
        from nas_ray.spaces.nasnet.nets import BlockNet

        return BlockNet(self.stack(arch), num_classes)


class SearchedCells(CellSizes):
    """A space of all cells that its rules allow; a subclass has `OPS`, `FEWER` and `JOINS`, and reads archs.

    Args:
        channels, cells, stem, stem_channels: as of `CellSizes`.
        blocks: B, the blocks of a cell, or the most.

    Raises:
        UsageError: sizes that cannot be.
    """

    OPS: ClassVar[tuple[str, ...]]
    """What a half of a block may do."""
    FEWER: ClassVar[bool]
    """Whether a cell may have fewer blocks."""
    JOINS: ClassVar[bool]
    """Whether a block may put its two maps behind each other."""

    def __init__(
        self,
        channels: int = 16,
        cells: int = 2,
        blocks: int = 5,
        stem: str = SMALL,
        stem_channels: int | None = None,
    ) -> None:
        super().__init__(channels, cells, stem, stem_channels)
        check_up_to(f"The blocks of {self.name}", blocks, MOST_BLOCKS)
        self.rules = CellRules(self.name, self.OPS, blocks, fewer=self.FEWER, joins=self.JOINS)

    def __contains__(self, arch: object) -> bool:
        try:
            return isinstance(arch, str) and bool(self.genotype(arch))
        except UsageError:
            return False
