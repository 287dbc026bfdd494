"""A batch of (arch, image) pairs through the blocks of a supernet, each pair through its own operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.arch_view import AveragePool
from nas_ray.shared_weights.mixture import Mixture
from nas_ray.shared_weights.routes import Group, Routes
from nas_ray.spaces.ops import ResidualReduction
from nas_ray.spaces.plans import INPUT, OUTPUT

EPS = 1e-5
"""What BN adds to a variance, as torch's default."""

POOL = AveragePool()


class BatchRun:
    """The blocks of a supernet for A archs on B images; maps are `[A, B, H, W, C]`, and gradients flow.

    Args:
        archs: the archs, each with one or several operations on an edge.
        device: where tensors are.
        initial: whether BN has mean 0 and variance 1, as before any training.

    Attributes:
        shares_stem: whether the stem is computed once for all archs.
    """

    shares_stem = True

    def __init__(self, archs: Sequence[Mixture], device: torch.device, initial: bool = False) -> None:
        self.size = len(archs)
        self.routes = Routes(archs, device)
        self.initial = initial

    def block(self, block: nn.Module, x: Tensor) -> Tensor:
        """Returns the output of a cell or a reduction."""
        return self.reduction(block, x) if isinstance(block, ResidualReduction) else self.cell(block, x)

    def cell(self, cell: nn.Module, x: Tensor) -> Tensor:
        """Returns the last node of a cell; nodes without a live operation are zero."""
        nodes: list[Tensor | None] = [x]
        active: dict[int, Tensor] = {}
        for node in range(INPUT + 1, OUTPUT + 1):
            value: Tensor | None = None
            for group in self.routes.into(node):
                source = nodes[group.source]
                assert source is not None  # a live edge comes from a node with live edges
                if group.op.startswith("nor_conv") and group.source not in active:
                    active[group.source] = source.relu()
                out = self._operation(cell, group, active.get(group.source, source), source)
                value = group.add(value, group.weighted(out))
            nodes.append(value)
        last = nodes[OUTPUT]
        return torch.zeros_like(x) if last is None else last

    def _operation(self, cell: nn.Module, group: Group, active: Tensor, source: Tensor) -> Tensor:
        if group.op.startswith("nor_conv"):
            block = cell.get_submodule(f"edges.{group.edge}.{group.op}")
            out = self.convolution(block.get_submodule("1"), group.take(active), group)
            return self.norm(out, group)
        rows = group.take(source)
        return on_maps(POOL, rows) if group.op == "avg_pool_3x3" else rows

    def reduction(self, block: nn.Module, x: Tensor) -> Tensor:
        """Returns the output of a residual reduction."""
        out = x
        for name in ("conv_a", "conv_b"):
            out = self.norm(self.convolution(block.get_submodule(f"{name}.1"), out.relu()))
        pooled = on_maps(block.get_submodule("shortcut.0"), x)
        return out + self.convolution(block.get_submodule("shortcut.1"), pooled)

    def norm(self, x: Tensor, group: Group | None = None) -> Tensor:
        """Returns BN of `x [A, B, H, W, C]`, each arch by itself."""
        return initial_norm(x) if self.initial else norm(x)

    def convolution(self, layer: nn.Module, x: Tensor, group: Group | None = None) -> Tensor:
        """Returns a convolution of the archs of `group`, or of all; where someone wants to see them all."""
        return on_maps(layer, x)


def on_maps(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Applies a layer for `[N, C, H, W]` to `[A, B, H, W, C]`."""
    out = layer(x.flatten(0, 1).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    return out.view(*x.shape[:2], *out.shape[1:])


def norm(x: Tensor) -> Tensor:
    """Returns BN in batch mode of `[A, B, H, W, C]`, each arch by itself.

    With a single value per channel there is no variance: as `batch_statistics`, mean 0 and variance 1 count.
    """
    rows = x.flatten(1, 3)
    if rows.shape[1] == 1:
        return initial_norm(x)
    if len(rows) == 1:
        whole = x.flatten(0, 1).permute(0, 3, 1, 2)
        whole = F.batch_norm(whole, None, None, training=True, eps=EPS)
        return whole.permute(0, 2, 3, 1).reshape(x.shape)
    centred = rows - rows.sum(1, keepdim=True) / rows.shape[1]
    variance = centred.square().sum(1, keepdim=True) / rows.shape[1]
    normed: Tensor = centred * (variance + EPS).rsqrt()
    return normed.view(x.shape)


def initial_norm(x: Tensor) -> Tensor:
    """Returns what BN makes of `x` in evaluation mode before any training, with mean 0 and variance 1."""
    return x * float((1 + EPS) ** -0.5)
