"""Sizes of the maps of a net, and what it costs, by formula."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nas_ray.spaces.layerwise.head import Head
from nas_ray.spaces.layerwise.layers import Layer, loose_ends


class Maps(NamedTuple):
    """Channels, height and width of maps."""

    channels: int
    height: int
    width: int

    def shrunk(self, channels: int, strides: tuple[int, int]) -> Maps:
        """Returns maps of a layer with these strides that reads these: no side is under 1."""
        return Maps(channels, -(-self.height // strides[0]), -(-self.width // strides[1]))


def joined(maps: Iterable[Maps]) -> Maps:
    """Returns maps one behind the other, as high and as wide as the highest and the widest."""
    channels, heights, widths = zip(*maps, strict=True)
    return Maps(sum(channels), max(heights), max(widths))


def maps_of(layers: Sequence[Layer], image: tuple[int, int, int]) -> list[Maps]:
    """Returns what the image and each layer give, in the order of their numbers."""
    made = [Maps(*image)]
    for layer in layers:
        read = joined(made[source] for source in layer.sources)
        made.append(read.shrunk(read.channels if layer.pool else layer.filters, layer.strides))
    return made


def count_cost(
    layers: Sequence[Layer], num_classes: int, head: Head, image: tuple[int, int, int]
) -> tuple[int, int]:
    """Returns parameters and multiply-adds for one image `(C, H, W)`: convolutions, BN and linear layers."""
    made = maps_of(layers, image)
    params = multiply_adds = 0
    for layer, maps in zip(layers, made[1:], strict=True):
        if not layer.pool:
            weights = convolution_weights(layer, sum(made[source].channels for source in layer.sources))
            params += weights + 2 * layer.filters * layer.repeat
            multiply_adds += weights * maps.height * maps.width
    channels = sum(made[number].channels for number in loose_ends(layers))
    linear = sum((a + 1) * b for a, b in itertools.pairwise(head.widths(channels, num_classes)))
    return params + linear, multiply_adds + linear


def convolution_weights(layer: Layer, channels: int) -> int:
    """Returns the weights of the convolutions of a layer that reads maps of so many channels."""
    inputs = sum(channels + before * layer.filters for before in range(layer.repeat))
    return layer.height * layer.width * layer.filters * inputs
