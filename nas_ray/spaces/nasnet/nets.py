"""The nets of NASNet and PNAS: cells of blocks, and the released skeletons for small and large images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nas_ray.spaces.darts_cells import INPUTS
from nas_ray.spaces.darts_nets import CellNet, path_factors
from nas_ray.spaces.darts_ops import FactorizedReduction, pointwise
from nas_ray.spaces.nasnet.layout import Place, Stack
from nas_ray.spaces.nasnet.ops import make_op, matching
from nas_ray.spaces.stems import STRIDED


class BlockCell(nn.Module):
    """One cell, of what the last two cells gave; `[B, C_two, ...], [B, C_one, ...] -> [B, C, ...]`.

    Args:
        place: its blocks, widths and sizes.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        two, one = place.widths
        f = place.channels
        before = FactorizedReduction if place.halved else pointwise
        first = nn.Identity() if place.keeps_first else before(two, f)
        self.inputs = nn.ModuleList([first, pointwise(one, f)])
        edges = [edge for block in place.plan.nodes for edge in block]
        self.sources = tuple(source for source, _ in edges)
        self.edges = nn.ModuleList(
            make_op(op, place.states[source], f, place.stride(source)) for source, op in edges
        )
        self.dropped = tuple(op != "skip_connect" for _, op in edges)
        self.joined, self.output = place.plan.joined, place.plan.output
        self.matched = nn.ModuleDict({str(s): _matched(place, s) for s in place.matched})

    def forward(self, two: Tensor, one: Tensor, factors: Tensor | None = None) -> Tensor:
        """Returns the states of the output behind each other.

        Each path but an identity is multiplied by its row of `factors` `[paths, B]`, if there are some.
        """
        states = [self.inputs[0](two), self.inputs[1](one)]
        for block in range(len(self.sources) // 2):
            left, right = (self._path(2 * block + half, states, factors) for half in (0, 1))
            joined = INPUTS + block in self.joined
            states.append(torch.cat([left, right], dim=1) if joined else left + right)
        return torch.cat([self._output(state, states[state]) for state in self.output], dim=1)

    def _path(self, place: int, states: Sequence[Tensor], factors: Tensor | None) -> Tensor:
        out: Tensor = self.edges[place](states[self.sources[place]])
        if factors is None or not self.dropped[place]:
            return out
        return out * factors[place].to(out.dtype)[:, None, None, None]

    def _output(self, state: int, maps: Tensor) -> Tensor:
        out: Tensor = self.matched[str(state)](maps) if str(state) in self.matched else maps
        return out


def _matched(place: Place, state: int) -> nn.Module:
    """Returns what gives an input of a cell the size and the width of its output; without ReLU."""
    if not place.reduction:
        return matching(place.states[state], place.channels)
    halving = FactorizedReduction(place.states[state], place.channels)
    halving.act = nn.Identity()
    return halving


class BlockNet(CellNet):
    """The released skeleton around cells of blocks; `[B, 3, H, W] -> [B, num_classes]`.

    Three stages of cells with a reduction before the second and the third, ReLU, global average pooling, a
    linear classifier. The stem for small images is a 3x3 convolution and BN. That for large images has a
    stride of 2 and no padding, and two reductions with a quarter and a half of the channels come next.

    Source: as of `nasnet/layout.py`, and its released code.
    Differs: the second classifier pools to 2 x 2 maps, as that of DARTS does; there is no dropout before the
    classifier; in the released net 6 @ 4032 the cell behind a reduction reads what came before the cell that
    the reduction reads, and here that cell, which is as wide.

    Args:
        stack: the cells and their sizes.
        num_classes: outputs.
        drop_path: share of the paths that are dropped in training in the last cell; the share grows from the
            first to the last.
    """

    def __init__(self, stack: Stack, num_classes: int, drop_path: float = 0.0) -> None:
        super().__init__(num_classes, drop_path)
        width = stack.stem_channels
        large = stack.stem == STRIDED
        convolution = nn.Conv2d(3, width, 3, 2 if large else 1, 0 if large else 1, bias=False)
        self.stem = nn.Sequential(convolution, nn.BatchNorm2d(width))
        self.second_stem = nn.Identity()
        places = stack.places()
        self.cells = nn.ModuleList(map(BlockCell, places))
        self.paths = max(2 * len(place.plan.nodes) for place in places)
        self.auxiliary_place = stack.auxiliary_place
        self.auxiliary_channels = places[self.auxiliary_place].width
        self.pool = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(places[-1].width, num_classes)

    def _factors(self, examples: int, device: torch.device) -> Tensor | None:
        """Returns the factors of all paths, `[cells, paths, B]`; later cells lose more.

        Source: Zoph et al., CVPR 2018, appendix A (ScheduledDropPath), and its released code, where the share
        of a cell is that of the last, times its place over their number.
        """
        if not (self.training and self.drop_path > 0):
            return None
        count = len(self.cells)
        rates = [self.drop_path * (place + 1) / count for place in range(count)]
        return torch.stack([path_factors(self.paths, examples, rate, device) for rate in rates])
