"""Zero-cost proxies: `(net, inputs, targets) -> float`, each in its own file."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from nas_ray.proxies.flops import flops
from nas_ray.proxies.naswot import naswot
from nas_ray.proxies.params import params
from nas_ray.proxies.synflow import synflow

Proxy = Callable[[nn.Module, Tensor, Tensor], float | dict[str, float]]
"""`(net, inputs [B, 3, H, W], targets [B]) -> float`, or a dict of named floats; larger is better."""

PROXIES: dict[str, Proxy] = {
    "flops": flops,
    "naswot": naswot,
    "params": params,
    "synflow": synflow,
}

__all__ = ["PROXIES", "Proxy", "flops", "naswot", "params", "synflow"]
