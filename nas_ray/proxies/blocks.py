"""Finds the blocks that a net is a chain of, and their outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from nas_ray.proxies.channel_axis import ChannelAxis
from nas_ray.proxies.checks import LAYERS
from nas_ray.proxies.hooks import batch_statistics, forward_hooks

CHAINS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
POOLINGS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


def block_features(name: str, net: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Returns the outputs of the blocks of `net` in calling order, each `[B, C, H, W]` or `[B, C]`.

    A block is a module that is made of others without being a mere sequence, such as a cell or a residual
    block, or a run of plain layers from one convolution or linear layer up to the next. NATS-TSS has its
    stem, cells and residual reductions, ResNet-18 its stem and eight residual blocks, VGG its convolutions
    with all that follows each. The classifier is no block. BN is in batch mode, and features keep their
    autograd graph. Maps with the channels last, as in Swin, are turned to `[B, C, H, W]`.

    Raises:
        ValueError: fewer than two blocks; the sentence starts with `name`.
    """
    units = list(unfold(net))
    while True:
        features = unit_features(net, units, inputs)
        opened = [inner for unit in units for inner in (unfold(unit) if is_composite(unit) else [unit])]
        if len(features) >= 2:
            return features
        if opened == units:
            raise ValueError(f"{name}: needs a net of at least two blocks besides the classifier.")
        units = opened


def unfold(module: nn.Module) -> Iterator[nn.Module]:
    """Yields the children of `module`, with sequences replaced by what they are made of."""
    for child in module.children():
        if isinstance(child, CHAINS):
            yield from unfold(child)
        else:
            yield child


def is_composite(module: nn.Module) -> bool:
    """Returns whether `module` has submodules."""
    return next(module.children(), None) is not None


def unit_features(net: nn.Module, units: list[nn.Module], inputs: Tensor) -> list[Tensor]:
    """Returns the outputs of the blocks that the calls of `units` fall into."""
    outputs: list[Tensor] = []
    inside = False
    channels = ChannelAxis()

    def record(unit: nn.Module, args: tuple[Any, ...], output: Any) -> Tensor | None:
        nonlocal inside
        if not isinstance(output, Tensor) or isinstance(unit, POOLINGS):
            inside = False
            return None
        axis = channels.of(output)
        feature: Tensor = output.movedim(axis, 1)
        if isinstance(unit, LAYERS) or is_composite(unit):
            outputs.append(feature)
        elif inside and feature.dim() == outputs[-1].dim():
            outputs[-1] = feature
        else:
            return None
        inside = not is_composite(unit)
        return feature.movedim(1, axis).clone()  # what follows may work in place

    with batch_statistics(net), channels.watching(net), forward_hooks(units, record):
        net(inputs)
    maps = [output for output in outputs if output.dim() == 4]
    return maps or [output for output in outputs if output.dim() == 2][:-1]
