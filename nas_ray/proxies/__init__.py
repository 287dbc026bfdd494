"""Zero-cost proxies: `(net, inputs, targets) -> float`, each in its own file."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor, nn

from nas_ray.proxies.az_expressivity import az_expressivity
from nas_ray.proxies.az_progressivity import az_progressivity
from nas_ray.proxies.az_trainability import az_trainability
from nas_ray.proxies.clear_paths import clear_paths
from nas_ray.proxies.epe_nas import epe_nas
from nas_ray.proxies.fisher import fisher
from nas_ray.proxies.fisher_channels import fisher_channels
from nas_ray.proxies.flops import flops
from nas_ray.proxies.grad_norm import grad_norm
from nas_ray.proxies.gradsign import gradsign
from nas_ray.proxies.grasp import grasp
from nas_ray.proxies.jacob_cov import jacob_cov
from nas_ray.proxies.l2_norm import l2_norm
from nas_ray.proxies.lcmnas import lcmnas
from nas_ray.proxies.linear_regions import linear_regions
from nas_ray.proxies.live_ops import live_ops
from nas_ray.proxies.log_width import log_width
from nas_ray.proxies.logsynflow import logsynflow
from nas_ray.proxies.logsynflow_released import logsynflow_released
from nas_ray.proxies.meco import meco
from nas_ray.proxies.naswot import naswot
from nas_ray.proxies.near import near
from nas_ray.proxies.ntk import ntk
from nas_ray.proxies.num_conv import num_conv
from nas_ray.proxies.params import params
from nas_ray.proxies.plain import plain
from nas_ray.proxies.skip import skip
from nas_ray.proxies.snip import snip
from nas_ray.proxies.swap import swap
from nas_ray.proxies.synflow import synflow
from nas_ray.proxies.synflow_released import synflow_released
from nas_ray.proxies.vkdnw import vkdnw
from nas_ray.proxies.zen import zen
from nas_ray.proxies.zico import zico

Proxy = Callable[[nn.Module, Tensor, Tensor], float | dict[str, float]]
"""`(net, inputs [B, 3, H, W], targets [B]) -> float`, or a dict of named floats; larger is better."""

PROXIES: dict[str, Proxy] = {
    "az_expressivity": az_expressivity,
    "az_progressivity": az_progressivity,
    "az_trainability": az_trainability,
    "clear_paths": clear_paths,
    "epe_nas": epe_nas,
    "fisher": fisher,
    "fisher_channels": fisher_channels,
    "flops": flops,
    "grad_norm": grad_norm,
    "gradsign": gradsign,
    "grasp": grasp,
    "jacob_cov": jacob_cov,
    "l2_norm": l2_norm,
    "lcmnas": lcmnas,
    "linear_regions": linear_regions,
    "live_ops": live_ops,
    "log_width": log_width,
    "logsynflow": logsynflow,
    "logsynflow_released": logsynflow_released,
    "meco": meco,
    "naswot": naswot,
    "near": near,
    "ntk": ntk,
    "num_conv": num_conv,
    "params": params,
    "plain": plain,
    "skip": skip,
    "snip": snip,
    "swap": swap,
    "synflow": synflow,
    "synflow_released": synflow_released,
    "vkdnw": vkdnw,
    "zen": zen,
    "zico": zico,
}

OF_ONE_SPACE = {
    "clear_paths": "nats-tss",
    "live_ops": "nats-tss",
    "log_width": "nats-sss",
    "skip": "nats-tss",
}
"""Proxies that read what the nets of one space alone say of their arch, and the space."""


def of_space(names: Iterable[str], space: str) -> list[str]:
    """Returns the names of proxies without those for the nets of other spaces.

    Args:
        names: of proxies.
        space: its name, without options.
    """
    return [name for name in names if OF_ONE_SPACE.get(name, space) == space]


__all__ = [
    "OF_ONE_SPACE",
    "PROXIES",
    "Proxy",
    "az_expressivity",
    "az_progressivity",
    "az_trainability",
    "clear_paths",
    "epe_nas",
    "fisher",
    "fisher_channels",
    "flops",
    "grad_norm",
    "gradsign",
    "grasp",
    "jacob_cov",
    "l2_norm",
    "lcmnas",
    "linear_regions",
    "live_ops",
    "log_width",
    "logsynflow",
    "logsynflow_released",
    "meco",
    "naswot",
    "near",
    "ntk",
    "num_conv",
    "of_space",
    "params",
    "plain",
    "skip",
    "snip",
    "swap",
    "synflow",
    "synflow_released",
    "vkdnw",
    "zen",
    "zico",
]
