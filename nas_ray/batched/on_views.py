"""Proxies on the views of a supernet, one arch after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor

from nas_ray.batched.patterns import linear_regions_on_view, naswot_on_view, near_on_view, swap_on_view
from nas_ray.proxies import PROXIES
from nas_ray.spaces.arch_view import ArchView
from nas_ray.spaces.supernet import Supernet

ViewProxy = Callable[[ArchView, Tensor, Tensor], float]

SAME = (
    *("az_expressivity", "az_progressivity", "az_trainability", "epe_nas", "fisher", "grad_norm"),
    *("gradsign", "grasp", "jacob_cov", "plain", "skip", "snip", "zico"),
)
"""Proxies that see nothing but what reaches the output: the plain one, on a view."""

ON_VIEWS: dict[str, ViewProxy] = {
    **{name: cast(ViewProxy, PROXIES[name]) for name in SAME},
    "linear_regions": linear_regions_on_view,
    "naswot": naswot_on_view,
    "near": near_on_view,
    "swap": swap_on_view,
}


def over_views(name: str) -> Callable[[Supernet, Sequence[str], Tensor, Tensor], Tensor]:
    """Returns the batched form of `name`, made of its form on views."""
    proxy = ON_VIEWS[name]

    def batched(supernet: Supernet, archs: Sequence[str], inputs: Tensor, targets: Tensor) -> Tensor:
        scores = [proxy(supernet.view(arch), inputs, targets) for arch in archs]
        return torch.tensor(scores, dtype=torch.float64)

    batched.__name__ = batched.__qualname__ = f"{name}_batched"
    batched.__doc__ = f"Returns `{name}` of every arch, `[len(archs)]`."
    return batched
