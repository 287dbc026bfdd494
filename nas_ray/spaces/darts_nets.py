"""The nets of DARTS: cells that read the last two, and the released skeletons for small and large images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from nas_ray.spaces.darts_cells import CellPlan, Genotype
from nas_ray.spaces.darts_ops import FactorizedReduction, make_op, pointwise
from nas_ray.spaces.stems import SMALL, STRIDED, make_stem

STEM_WIDTHS = 3
"""Width of the stem for small images, in C."""


def reductions(cells: int) -> tuple[int, ...]:
    """Returns the places of the cells that halve the resolution and double the width."""
    return tuple(sorted({cells // 3, 2 * cells // 3}))


def path_factors(paths: int, examples: int, rate: float, device: torch.device) -> Tensor:
    """Returns `[paths, examples]`: 0 for a random share `rate`, `1 / (1 - rate)` for the others.

    Drawn from torch's global state on the CPU, so equal for every device.

    Source: Larsson et al., "FractalNet", ICLR 2017; Zoph et al., "Learning Transferable Architectures", CVPR
    2018.
    """
    kept = (torch.rand(paths, examples) >= rate).float() / (1.0 - rate)
    return kept.to(device, non_blocking=True)


def make_stems(stem: str, channels: int) -> tuple[nn.Module, nn.Module, int]:
    """Returns what makes the first input of the first cell, what makes the second of it, and their width.

    Args:
        stem: `small` or `strided`.
        channels: C.
    """
    if stem != STRIDED:
        width = STEM_WIDTHS * channels
        return make_stem(stem, width), nn.Identity(), width
    halving = nn.Conv2d(channels, channels, 3, 2, padding=1, bias=False)
    return make_stem(stem, channels), nn.Sequential(nn.ReLU(), halving, nn.BatchNorm2d(channels)), channels


class Cell(nn.Module):
    """One cell, of what the last two cells gave; `[B, C_two, ...], [B, C_one, ...] -> [B, n C, ...]`.

    Args:
        plan: its nodes.
        channels_two: width of what the last cell but one gave.
        channels_one: width of what the last cell gave.
        channels: C.
        reduction: whether it halves the resolution: operations on both inputs have stride 2.
        after_reduction: whether the last cell did, so that the first input is halved here.
    """

    def __init__(
        self,
        plan: CellPlan,
        channels_two: int,
        channels_one: int,
        channels: int,
        *,
        reduction: bool,
        after_reduction: bool,
    ) -> None:
        super().__init__()
        before = FactorizedReduction if after_reduction else pointwise
        self.inputs = nn.ModuleList([before(channels_two, channels), pointwise(channels_one, channels)])
        self.sources = tuple(source for edges in plan.nodes for source, _ in edges)
        self.edges = nn.ModuleList(
            make_op(op, channels, 2 if reduction and source < len(self.inputs) else 1)
            for edges in plan.nodes
            for source, op in edges
        )
        self.output = plan.output
        self.channels = len(plan.output) * channels

    def forward(self, two: Tensor, one: Tensor, factors: Tensor | None = None) -> Tensor:
        """Returns the maps of the output nodes behind each other.

        Each path but a shortcut is multiplied by its row of `factors` `[paths, B]`, if there are some.
        """
        nodes = [self.inputs[0](two), self.inputs[1](one)]
        for place in range(0, len(self.sources), 2):
            nodes.append(self._path(place, nodes, factors) + self._path(place + 1, nodes, factors))
        return torch.cat([nodes[node] for node in self.output], dim=1)

    def _path(self, place: int, nodes: Sequence[Tensor], factors: Tensor | None) -> Tensor:
        op = self.edges[place]
        out: Tensor = op(nodes[self.sources[place]])
        if factors is None or isinstance(op, nn.Identity):
            return out
        return out * factors[place].to(out.dtype)[:, None, None, None]


class AuxiliaryHead(nn.Module):
    """A second classifier in the middle of a net; `[B, C, h, w] -> [B, classes]`.

    Source: Liu et al., "DARTS", ICLR 2019, released code: pooling of 5 pixels to 2 x 2, and convolutions of 1
    and 2 pixels to 128 and 768 channels.
    Differs: maps that are not those of images of 32 or 224 pixels are pooled to 2 x 2 in equal parts; the net
    for large images has its second BN, which the released code left out by an oversight that it names.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            nn.BatchNorm2d(768),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.classifier = nn.Linear(768, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        x, size = torch.relu(x), x.shape[-1]
        if size in (7, 8) and x.shape[-2] == size:
            x = avg_pool2d(x, 5, size - 5, count_include_pad=False)
        else:
            x = adaptive_avg_pool2d(x, 2)
        logits: Tensor = self.classifier(self.features(x))
        return logits


class CellNet(nn.Module):
    """Cells that each read what the last two gave, between a stem and a linear classifier.

    A subclass gives it its parts: `stem`, `second_stem` behind it, `cells`, `paths`, the most that a cell
    has, `pool` and `classifier`, and `auxiliary_place` and `auxiliary_channels`, the cell whose maps a second
    classifier reads and their width.

    Args:
        num_classes: outputs.
        drop_path: share of the paths that are dropped in training, as an attribute that may change.
    """

    stem: nn.Module
    second_stem: nn.Module
    cells: nn.ModuleList
    pool: nn.Module
    classifier: nn.Module
    paths: int
    auxiliary_place: int
    auxiliary_channels: int

    def __init__(self, num_classes: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.drop_path = drop_path
        self.num_classes = num_classes

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        return self.with_auxiliary(x, None)[0]

    def auxiliary_head(self) -> nn.Module:
        """Returns a new second classifier for the maps in the middle."""
        return AuxiliaryHead(self.auxiliary_channels, self.num_classes)

    def with_auxiliary(self, x: Tensor, head: nn.Module | None) -> tuple[Tensor, Tensor | None]:
        """Returns class scores, and those of `head`, which `auxiliary_head` made; None without one."""
        two, second = self.stem(x), None
        one = self.second_stem(two)
        factors = self._factors(len(x), x.device)
        for place, cell in enumerate(self.cells):
            two, one = one, cell(two, one, factors[place] if factors is not None else None)
            if head is not None and place == self.auxiliary_place:
                second = head(one)
        return self.classifier(self.pool(one)), second

    def _factors(self, examples: int, device: torch.device) -> Tensor | None:
        """Returns the factors of all paths, `[cells, paths, B]`; None where all are kept."""
        if not (self.training and self.drop_path > 0):
            return None
        count, paths = len(self.cells), self.paths
        return path_factors(count * paths, examples, self.drop_path, device).view(count, paths, examples)


class DartsNet(CellNet):
    """The released skeleton around two cells; `[B, 3, H, W] -> [B, num_classes]`.

    Stem, `cells` cells of which those at a third and two thirds are reductions, global average pooling,
    linear classifier. The stem for small images is a 3x3 convolution to 3 C channels and BN, and both inputs
    of the first cell are its output; that for large ones has two parts with strides of 4 and 2.

    Args:
        genotype: the two cells.
        num_classes: outputs.
        channels: C.
        cells: how many there are.
        stem: `small` or `strided`.
        drop_path: share of the paths that are dropped in training, as an attribute that may change.
    """

    def __init__(
        self,
        genotype: Genotype,
        num_classes: int,
        channels: int,
        cells: int,
        stem: str = SMALL,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__(num_classes, drop_path)
        self.stem, self.second_stem, width = make_stems(stem, channels)
        self.cells, self.paths = nn.ModuleList(), 0
        self.auxiliary_place = reductions(cells)[-1]
        two, one, after = width, width, stem == STRIDED
        for place in range(cells):
            reduction = place in reductions(cells)
            channels *= 2 if reduction else 1
            plan = genotype.reduce if reduction else genotype.normal
            cell = Cell(plan, two, one, channels, reduction=reduction, after_reduction=after)
            self.cells.append(cell)
            self.paths = max(self.paths, len(cell.edges))
            two, one, after = one, cell.channels, reduction
            if place == self.auxiliary_place:
                self.auxiliary_channels = cell.channels
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(one, num_classes)
