"""Batched proxies: `(supernet, archs, inputs, targets) -> [len(archs)]`, beside the plain ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from nas_ray.batched.additive import sum_over_edges
from nas_ray.batched.on_views import ON_VIEWS, over_views
from nas_ray.batched.synaptic import logsynflow_batched, synflow_batched
from nas_ray.spaces.supernet import Supernet

BatchedProxy = Callable[[Supernet, Sequence[str], Tensor, Tensor], Tensor]
"""`(supernet, archs, inputs [B, 3, H, W], targets [B]) -> [len(archs)]`, float64; larger is better."""

ADDITIVE = ("flops", "l2_norm", "num_conv", "params")
"""Proxies that are a sum over the edges of the cell."""

BATCHED: dict[str, BatchedProxy] = {
    **{name: over_views(name) for name in ON_VIEWS},
    **{name: sum_over_edges(name) for name in ADDITIVE},
    "logsynflow": logsynflow_batched,
    "synflow": synflow_batched,
}

__all__ = ["ADDITIVE", "BATCHED", "ON_VIEWS", "BatchedProxy"]
