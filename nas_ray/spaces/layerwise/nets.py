"""The nets of the layer-wise space."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.spaces.layerwise.head import Head
from nas_ray.spaces.layerwise.layers import POOLS, Layer, Layers, loose_ends


class LayerwiseNet(nn.Module):
    """Layers, each of which reads earlier ones; `[B, 3, H, W] -> [B, num_classes]`.

    Several inputs of a layer stand one behind the other in depth, and smaller maps have zeros around them.
    What no layer reads goes to the head, in the same way. No map has a side under 1.

    Args:
        layers: in their order.
        num_classes: outputs.
        head: what follows them.
    """

    def __init__(self, layers: Layers, num_classes: int, head: Head) -> None:
        super().__init__()
        self.sources = tuple(layer.sources for layer in layers)
        self.ends = loose_ends(layers)
        self._last_reader = _last_readers(layers)
        channels, modules = [3], []
        for layer in layers:
            read = sum(channels[source] for source in layer.sources)
            modules.append(_module(layer, read))
            channels.append(read if layer.pool else layer.filters)
        self.layers = nn.ModuleList(modules)
        self.grid = head.grid
        widths = head.widths(sum(channels[end] for end in self.ends), num_classes)
        linear = [nn.Linear(before, after) for before, after in itertools.pairwise(widths)]
        self.head = nn.Sequential(*(m for hidden in linear[:-1] for m in (hidden, nn.ReLU())))
        self.classifier = linear[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        made: dict[int, Tensor] = {0: x}
        for number, layer in enumerate(self.layers, 1):
            inputs = [made[source] for source in self.sources[number - 1]]
            for source in self._last_reader.get(number, ()):
                del made[source]  # its memory is free as soon as nobody needs it
            made[number] = layer(join(inputs))
        scores: Tensor = self.classifier(self.head(self._pooled([made[end] for end in self.ends])))
        return scores

    def _pooled(self, ends: Sequence[Tensor]) -> Tensor:
        """Returns the features `[B, channels * grid ** 2]` of the maps that no layer reads."""
        if self.grid > 1:
            return F.adaptive_avg_pool2d(join(ends), self.grid).flatten(1)
        height, width = _largest(ends)
        means = [end.sum((2, 3)) / (height * width) for end in ends]  # zeros around them add nothing
        return torch.cat(means, 1) if len(means) > 1 else means[0]


def join(maps: Sequence[Tensor]) -> Tensor:
    """Returns maps `[B, C, H, W]` one behind the other in depth, zeros around the smaller ones.

    Nothing is copied of one alone.
    """
    if len(maps) == 1:
        return maps[0]
    height, width = _largest(maps)
    return torch.cat([_widened(one, height, width) for one in maps], 1)


class Dense(nn.ModuleList):
    """Convolutions, each of which reads `[B, C, H, W]` and the outputs of those before it."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns the output of the last."""
        made = [x]
        for layer in self:
            made.append(layer(join(made)))
        return made[-1]


def _module(layer: Layer, channels: int) -> nn.Module:
    if layer.pool:
        side = POOLS[layer.pool]
        padding, ceil = (side - 1) // 2, side == 2
        if layer.pool.startswith("max"):
            return nn.MaxPool2d(side, 2, padding, ceil_mode=ceil)
        return nn.AvgPool2d(side, 2, padding, ceil_mode=ceil, count_include_pad=False)
    made = [_convolution(layer, channels + before * layer.filters) for before in range(layer.repeat)]
    return Dense(made) if len(made) > 1 else made[0]


def _convolution(layer: Layer, channels: int) -> nn.Sequential:
    size, padding = (layer.height, layer.width), (layer.height // 2, layer.width // 2)
    return nn.Sequential(
        nn.Conv2d(channels, layer.filters, size, layer.strides, padding, bias=False),
        nn.BatchNorm2d(layer.filters),
        nn.ReLU(),
    )


def _last_readers(layers: Layers) -> dict[int, tuple[int, ...]]:
    """Returns for each layer the numbers of those that it is the last to read."""
    last = {source: number for number, layer in enumerate(layers, 1) for source in layer.sources}
    return {
        reader: tuple(source for source, other in last.items() if other == reader)
        for reader in set(last.values())
    }


def _largest(maps: Sequence[Tensor]) -> tuple[int, int]:
    return max(one.shape[2] for one in maps), max(one.shape[3] for one in maps)


def _widened(maps: Tensor, height: int, width: int) -> Tensor:
    """Returns maps in the middle of zeros, which are one more below and to the right where they are odd."""
    down, across = height - maps.shape[2], width - maps.shape[3]
    if not down and not across:
        return maps
    return F.pad(maps, (across // 2, across - across // 2, down // 2, down - down // 2))
