"""Batched proxies: `(supernet, archs, inputs, targets) -> [len(archs)]`, beside the plain ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from nas_ray.shared_weights.additive import sum_over_edges
from nas_ray.shared_weights.mixture import Arch
from nas_ray.shared_weights.one_by_one import ONE_BY_ONE, one_by_one
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.shared_weights.synaptic import logsynflow_batched, synflow_batched

BatchedProxy = Callable[[Supernet, Sequence[Arch], Tensor, Tensor], Tensor]
"""`(supernet, archs, inputs [B, 3, H, W], targets [B]) -> [len(archs)]`, float64; larger is better.

An arch may be a `Mixture`, several operations on an edge.
"""

ADDITIVE = ("flops", "l2_norm", "num_conv", "params")
"""Proxies that are a sum over the edges of the cell."""

BATCHED: dict[str, BatchedProxy] = {
    **{name: one_by_one(name) for name in ONE_BY_ONE},
    **{name: sum_over_edges(name) for name in ADDITIVE},
    "logsynflow": logsynflow_batched,
    "logsynflow_released": logsynflow_batched,  # on nets of BN and ReLU the two forms are one
    "synflow": synflow_batched,
    "synflow_released": synflow_batched,
}

__all__ = ["ADDITIVE", "BATCHED", "ONE_BY_ONE", "BatchedProxy"]
