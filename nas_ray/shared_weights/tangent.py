"""The outputs of many archs' linear nets and, carried along, how they grow with the scale of all weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.flow import reduction_weights
from nas_ray.shared_weights.linear_ops import absolute, average, cell_weight, convolve
from nas_ray.shared_weights.mixture import Arch, mixture_of
from nas_ray.shared_weights.routes import Group, Routes
from nas_ray.shared_weights.supernet import SuperCell, Supernet
from nas_ray.spaces.plans import INPUT, OUTPUT

LARGE = 30
"""Binary exponent beyond which maps are scaled down; float32 has 127."""


class TangentPass:
    """One forward pass of A archs with absolute weights, without BN, on an all-ones image.

    Let R(t) be the sum of all outputs with every weight multiplied by t. SynFlow, the sum over all weights of
    `weight * dR / dweight`, is R'(1), since each term of R has as many factors t as layers on its path. So it
    needs no backward pass: beside each map x goes its derivative x' in t, from `(t W x)' = W x' + W x`, and
    both go through the layers as one batch. All is non-negative, so ReLUs change nothing and no digits are
    lost. Archs whose maps grow beyond `2 ** LARGE` are divided by powers of two, which is exact.

    Maps are `[A, 2, H, W, C]`: the map and its derivative.

    Args:
        supernet: whose weights count, in its dtype.
        archs: which to run; those that are alike side by side are faster.
        image_size: height and width of the image.
    """

    def __init__(self, supernet: Supernet, archs: Sequence[Arch], image_size: tuple[int, int]) -> None:
        self.supernet = supernet
        self.size = len(archs)
        self.classifier = supernet.classifier.weight.detach().abs()
        self.routes = Routes([mixture_of(arch) for arch in archs], self.classifier.device)
        ones = self.classifier.new_ones(*image_size, 3)
        self.image = torch.stack([ones, torch.zeros_like(ones)])
        self.exponent = torch.zeros(self.size, dtype=torch.int32, device=self.classifier.device)

    @torch.no_grad()
    def run(self) -> Tensor:
        """Returns R'(1) of every arch, `[A]` in float64."""
        first = weighted(self.image[None], absolute(self.supernet.stem[0]))
        x = first.expand(self.size, -1, -1, -1, -1)
        for block in self.supernet.body:
            x = self.cell(block, x) if isinstance(block, SuperCell) else reduction(block, x)
            x = self.scaled_down(x)
        pooled = x.mean((2, 3)).double().sum(1)  # (w x)' = w x' + w x
        return torch.ldexp(pooled @ self.classifier.double().sum(0), self.exponent)

    def cell(self, cell: nn.Module, x: Tensor) -> Tensor:
        """Returns the last node of a cell."""
        nodes = [x]
        for node in range(INPUT + 1, OUTPUT + 1):
            value = None
            for group in self.routes.into(node):
                out = group.weighted(operation(cell, group, group.take(nodes[group.source])))
                fresh = value is None and group.index is None and group.op != "skip_connect"
                value = out if fresh else group.add(value, out)
            nodes.append(torch.zeros_like(x) if value is None else value)
        return nodes[-1]

    def scaled_down(self, x: Tensor) -> Tensor:
        """Returns `x` with the archs whose maps have grown large divided by a power of two."""
        _, exponent = torch.frexp(x[:, 0].amax((1, 2, 3)))
        if (
            x.is_cpu and not (exponent > LARGE).any()
        ):  # a GPU would be waited for; to scale at once is as exact
            return x
        self.exponent += exponent
        return x * torch.ldexp(torch.ones_like(x[:, 0, 0, 0, 0]), -exponent).view(-1, 1, 1, 1, 1)


def operation(cell: nn.Module, group: Group, x: Tensor) -> Tensor:
    """Returns what the operation of `group` makes of its archs."""
    if group.op.startswith("nor_conv"):
        return weighted(x, cell_weight(cell, group))
    return linear(average, x) if group.op == "avg_pool_3x3" else x


def reduction(block: nn.Module, x: Tensor) -> Tensor:
    """Returns the output of a reduction."""
    a, b, shortcut = reduction_weights(block)
    pooled = linear(lambda maps: F.avg_pool2d(maps.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1), x)
    return weighted(weighted(x, a, stride=2), b).add_(weighted(pooled, shortcut))


def weighted(x: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """Returns a convolution of `x [A, 2, H, W, in]` and its derivative."""
    out = linear(lambda maps: convolve(maps, weight, stride), x)
    out[:, 1] += out[:, 0]
    return out


def linear(operation: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Returns a linear operation on `[N, H, W, C]` of both parts of `x [A, 2, H, W, C]`."""
    out = operation(x.flatten(0, 1))
    return out.view(*x.shape[:2], *out.shape[1:])
