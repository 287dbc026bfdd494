"""One set of weights for all archs of the size space: narrower nets take the first channels."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import torch
from torch import nn

from nas_ray.spaces.nats_sss import CELL, POSITIONS, WIDTHS, SssNet, to_widths
from nas_ray.spaces.nats_tss import to_ops
from nas_ray.spaces.ops import ResidualReduction, widening_skip
from nas_ray.spaces.stems import SMALL
from nas_ray.spaces.tss_nets import Cell

WIDEST = WIDTHS[-1]


class SizeSupernet:
    """Weights of the widest net, of which every arch takes the first channels of each layer.

    A slice with fewer inputs is scaled by `sqrt(64 / inputs)`, so that the weights of an arch are distributed
    as torch initialises its own net. Batch normalisation is fresh. Blocks are cut once and shared by all
    archs that have the same two widths there.

    Args:
        num_classes: outputs.
        init_seed: seed of the weights.
        stem: of `NatsSss`.
        device: where the weights are.
    """

    def __init__(
        self, num_classes: int, init_seed: int = 0, stem: str = SMALL, device: torch.device | str = "cpu"
    ) -> None:
        self.num_classes = num_classes
        self.stem_name = stem
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(init_seed)
            self.widest = SssNet((WIDEST,) * POSITIONS, num_classes, stem).to(device)
            self.skips = nn.ModuleList(widening_skip(WIDEST, WIDEST) for _ in range(POSITIONS)).to(device)
        self.block = lru_cache(maxsize=None)(self._block)
        self.stem = lru_cache(maxsize=None)(self._stem)
        self.classifier = lru_cache(maxsize=None)(self._classifier)

    def net(self, arch: str) -> nn.Module:
        """Returns the net of `arch` with weights of its own, equal to those that it shares here."""
        widths = to_widths(arch)
        net: Any = SssNet(widths, self.num_classes, self.stem_name).to(self.widest.classifier.weight)
        net.stem, net.classifier = copy.deepcopy((self.stem(widths[0]), self.classifier(widths[-1])))
        net.body = nn.Sequential(*copy.deepcopy(self.blocks(widths)))
        return cast(nn.Module, net)

    def blocks(self, widths: Sequence[int]) -> list[nn.Module]:
        """Returns the blocks of an arch, shared with others."""
        before = (widths[0], *widths)
        return [self.block(place, before[place], width) for place, width in enumerate(widths)]

    def _block(self, place: int, before: int, width: int) -> nn.Module:
        whole: Any = self.widest.body[place]
        if place % 2:
            made: nn.Module = ResidualReduction(before, width)
        else:
            made = Cell(to_ops(CELL), width, before)
            if before != width:  # the widest net has an identity there
                whole = copy.deepcopy(whole)
                whole.edges[3] = self.skips[place]
        return cut(whole, made)

    def _stem(self, width: int) -> nn.Module:
        small = SssNet((width,) * POSITIONS, self.num_classes, self.stem_name).stem
        return cut(self.widest.stem, small)

    def _classifier(self, width: int) -> nn.Module:
        return cut(self.widest.classifier, nn.Linear(width, self.num_classes))


def cut(whole: nn.Module, part: nn.Module) -> nn.Module:
    """Returns `part` with the first channels of the convolutions and linear layers of `whole`, scaled."""
    part = part.to(next(whole.parameters()))
    layers: dict[str, Any] = dict(whole.named_modules())
    with torch.no_grad():
        for name, layer in part.named_modules():
            if not isinstance(layer, nn.Conv2d | nn.Linear):
                continue
            weight = layers[name].weight
            outputs, inputs = layer.weight.shape[:2]
            scale = (weight.shape[1] / inputs) ** 0.5
            layer.weight.copy_(weight[:outputs, :inputs] * scale)
            if layer.bias is not None:
                layer.bias.copy_(layers[name].bias[:outputs] * scale)
    return part
