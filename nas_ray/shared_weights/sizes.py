"""NASWOT and SynFlow of many archs of the size space: what archs begin alike is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.proxies.agreement import agreement
from nas_ray.proxies.hooks import batch_statistics
from nas_ray.proxies.naswot import log_det
from nas_ray.shared_weights.size_supernet import SizeSupernet
from nas_ray.spaces.nats_sss import to_widths
from nas_ray.spaces.nats_tss import EDGES
from nas_ray.spaces.ops import ResidualReduction
from nas_ray.spaces.tss_nets import Cell

SHARING = ("naswot", "synflow")
"""Proxies that are sums over blocks, and so can share the beginnings of nets."""


@dataclass(frozen=True)
class Begun:
    """A net up to some block.

    Attributes:
        x: maps of the minibatch `[B, C, H, W]`; None if NASWOT is not wanted.
        kernel: `[B, B]` float64, NASWOT's sum over the ReLUs so far.
        units: units of these ReLUs.
        flow: maps of SynFlow's linear net, and their derivative in the scale of all weights, as
            `[2, C, H, W]` float64; None if SynFlow is not wanted.
    """

    x: Tensor | None
    kernel: Tensor
    units: int
    flow: Tensor | None


class SizeScorer:
    """Scores archs on the weights of one `SizeSupernet`, walking through them in the order of their widths.

    The maps behind a block are kept until an arch differs there, so a set of archs costs as much as the tree
    of their widths has edges. Scores are those of the plain proxies on `supernet.net(arch)`, but for
    rounding.

    Args:
        supernet: the weights.
        inputs: images `[B, 3, H, W]`.
        proxies: names out of `SHARING`.
    """

    def __init__(self, supernet: SizeSupernet, inputs: Tensor, proxies: Sequence[str]) -> None:
        self.supernet = supernet
        self.inputs = inputs
        self.proxies = tuple(proxies)

    @torch.no_grad()
    def __call__(self, archs: Sequence[str]) -> dict[str, dict[str, float]]:
        """Returns the scores of each different arch, by arch and proxy."""
        found: dict[str, dict[str, float]] = {}
        path: list[tuple[tuple[int, ...], Begun]] = []
        for widths in sorted({to_widths(arch) for arch in archs}):
            while path and path[-1][0] != widths[: len(path[-1][0])]:
                path.pop()
            for place in range(len(path), len(widths)):
                begun = path[-1][1] if path else self._stem(widths[0])
                before = widths[max(place - 1, 0)]
                block = self.supernet.block(place, before, widths[place])
                path.append((widths[: place + 1], self._through(block, begun)))
            found[":".join(map(str, widths))] = self._end(path[-1][1], widths[-1])
        return found

    def _stem(self, width: int) -> Begun:
        stem = self.supernet.stem(width)
        x = flow = None
        size = len(self.inputs)
        kernel = torch.zeros(size, size, dtype=torch.float64, device=self.inputs.device)
        units = 0
        if "naswot" in self.proxies:
            with batch_statistics(stem):
                x = self.inputs
                for layer in stem.children():
                    if isinstance(layer, nn.ReLU):
                        kernel, units = kernel + agreement(x), units + x[0].numel()
                    x = layer(x)
        if "synflow" in self.proxies:
            one = torch.ones_like(self.inputs[:1], dtype=torch.float64)
            flow = torch.cat([one, torch.zeros_like(one)])
            for layer in stem.children():
                flow = LinearNet().layer(layer, None, flow) if isinstance(layer, nn.Conv2d) else flow
        return Begun(x, kernel, units, flow)

    def _through(self, block: nn.Module, begun: Begun) -> Begun:
        x, kernel, units, flow = begun.x, begun.kernel, begun.units, begun.flow
        walk = walk_cell if isinstance(block, Cell) else walk_reduction
        if x is not None:
            with batch_statistics(block):
                x, relus = walk(block, x, RealNet())
            for node, times in relus:
                kernel, units = kernel + times * agreement(node), units + times * node[0].numel()
        if flow is not None:
            flow, _ = walk(block, flow, LinearNet())
        return Begun(x, kernel, units, flow)

    def _end(self, begun: Begun, width: int) -> dict[str, float]:
        found: dict[str, float] = {}
        if begun.x is not None:
            last = F.batch_norm(begun.x, None, None, training=True)
            kernel, units = begun.kernel + agreement(last), begun.units + last[0].numel()
            found["naswot"] = log_det(kernel.cpu().numpy(), units)
        if begun.flow is not None:
            weight = self.supernet.classifier(width).weight.double().abs().sum(0)  # type: ignore[operator]
            value, derivative = begun.flow.mean((2, 3)) @ weight
            found["synflow"] = float(value + derivative)
        return {name: found[name] for name in self.proxies}


class RealNet:
    """How the layers of a net compute."""

    def relu(self, x: Tensor) -> Tensor:
        """Returns the positive part."""
        return F.relu(x)

    def layer(self, conv: nn.Module, norm: nn.Module | None, x: Tensor) -> Tensor:
        """Returns a convolution, normalised if there is a normalisation."""
        out: Tensor = conv(x) if norm is None else norm(conv(x))
        return out


class LinearNet(RealNet):
    """How they compute in the linear net of SynFlow, on maps and their derivative `[2, C, H, W]`."""

    def relu(self, x: Tensor) -> Tensor:
        """Returns `x`, of which nothing is negative."""
        return x

    def layer(self, conv: nn.Module, norm: nn.Module | None, x: Tensor) -> Tensor:
        """Returns a convolution with absolute weights, without normalisation.

        With the weights scaled by s, the derivative of `s W x(s)` at s = 1 is `W x' + W x`.
        """
        assert isinstance(conv, nn.Conv2d)
        out = F.conv2d(x, conv.weight.double().abs(), None, conv.stride, conv.padding)
        out[1] += out[0]
        return out


def walk_cell(cell: nn.Module, x: Tensor, way: RealNet) -> tuple[Tensor, list[tuple[Tensor, int]]]:
    """Returns the output of a cell, and its nodes with the number of ReLUs that see each."""
    assert isinstance(cell, Cell)
    nodes, seen, active = {0: x}, dict[int, int](), dict[int, Tensor]()
    for (source, target), op in zip(EDGES, cell.edges, strict=True):
        layers = list(op.children())
        if not layers:
            out = nodes[source]  # skipped
        elif isinstance(layers[0], nn.ReLU):
            seen[source] = seen.get(source, 0) + 1
            if source not in active:
                active[source] = way.relu(nodes[source])
            out = way.layer(layers[1], layers[2], active[source])
        else:
            out = way.layer(layers[0], layers[1], nodes[source])  # skipped between two widths
        nodes[target] = nodes[target] + out if target in nodes else out
    return nodes[EDGES[-1][1]], [(nodes[node], times) for node, times in seen.items()]


def walk_reduction(block: nn.Module, x: Tensor, way: RealNet) -> tuple[Tensor, list[tuple[Tensor, int]]]:
    """Returns the output of a reduction, and what its two ReLUs see."""
    assert isinstance(block, ResidualReduction)
    middle = way.layer(block.conv_a[1], block.conv_a[2], way.relu(x))
    out = way.layer(block.conv_b[1], block.conv_b[2], way.relu(middle))
    around = way.layer(block.shortcut[1], None, F.avg_pool2d(x, 2))
    return out + around, [(x, 1), (middle, 1)]
