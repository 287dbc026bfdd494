"""Proxies made of ReLU patterns, on a view: each node once, however many ReLUs see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nas_ray.proxies.agreement import agreement
from nas_ray.proxies.hooks import batch_statistics
from nas_ray.proxies.naswot import log_det
from nas_ray.proxies.near import effective_rank, rows_of_channels
from nas_ray.proxies.sharing import shared
from nas_ray.proxies.swap import distinct_columns, pack_signs
from nas_ray.shared_weights.arch_view import ArchView, Observer


@dataclass(frozen=True)
class NodeKernel:
    """The agreement of images in the units of one node.

    Attributes:
        agreeing: `[B, B]` in float64: in how many units each two images have the same sign pattern.
        units: units of an image.
        count: ReLUs of the plain net that see the node.
    """

    agreeing: Tensor
    units: int
    count: int


def naswot_on_view(view: ArchView, inputs: Tensor, targets: Tensor) -> float:
    """Returns `naswot` of the plain net of `view`."""
    kernels = node_kernels(view, inputs, name="naswot")
    total = torch.stack([kernel.agreeing * kernel.count for kernel in kernels]).sum(0)
    return log_det(total.cpu().numpy(), sum(kernel.units * kernel.count for kernel in kernels))


def linear_regions_on_view(view: ArchView, inputs: Tensor, targets: Tensor) -> float:
    """Returns `linear_regions` of the plain net of `view`."""
    kernels = node_kernels(view, inputs, name="linear_regions")
    equal = torch.stack([kernel.agreeing == kernel.units for kernel in kernels]).all(0)
    return float((~equal.tril(-1).any(1)).sum())


@shared
def node_kernels(view: ArchView, inputs: Tensor, *, name: str) -> list[NodeKernel]:
    """Returns the kernel of every node that a ReLU sees, for `inputs [B, 3, H, W]`."""
    kernels: list[NodeKernel] = []

    def observe(node: Tensor, count: int) -> None:
        kernels.append(NodeKernel(view.once(node, agreement), node[0].numel(), count))

    _observe(name, view, inputs, observe)
    return kernels


def swap_on_view(view: ArchView, inputs: Tensor, targets: Tensor) -> float:
    """Returns `swap` of the plain net of `view`."""
    patterns: list[Tensor] = []
    _observe("swap", view, inputs, lambda node, count: patterns.append(distinct_columns(pack_signs(node))))
    return float(distinct_columns(torch.cat(patterns, dim=1)).shape[1])


def near_on_view(view: ArchView, inputs: Tensor, targets: Tensor) -> float:
    """Returns `near` of the plain net of `view`."""
    ranks: list[Tensor] = []

    def observe(node: Tensor, count: int) -> None:
        both = effective_rank(rows_of_channels(node)) + effective_rank(rows_of_channels(node.relu()))
        ranks.append(count * both)

    _observe("near", view, inputs, observe)
    return float(np.sum(torch.stack(ranks).cpu().numpy()))


def _observe(name: str, view: ArchView, inputs: Tensor, observe: Observer) -> None:
    if len(inputs) < 2:
        raise ValueError(f"{name}: needs a batch of at least 2 images, got {len(inputs)}.")
    with batch_statistics(view), torch.no_grad():
        view(inputs, observe)
