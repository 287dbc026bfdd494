"""Proxies that a chunk computes arch by arch, on the shared weights of a supernet, and no net twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from nas_ray.proxies import PROXIES, Proxy
from nas_ray.shared_weights.arch_view import ArchView
from nas_ray.shared_weights.beginning import Beginning
from nas_ray.shared_weights.gaussian_net import Shape, drawn_alike, zen_of_shape
from nas_ray.shared_weights.mixture import Arch, mixture_of
from nas_ray.shared_weights.patterns import linear_regions_on_view, naswot_on_view, near_on_view, swap_on_view
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces.nats_tss import to_ops
from nas_ray.spaces.plans import live_ops

A = TypeVar("A")


@dataclass(frozen=True)
class Way:
    """How an arch becomes the net that a proxy sees.

    Attributes:
        net: makes it.
        key: archs of equal keys have the same net, and so the same scores.
    """

    net: Callable[[Supernet, Arch], nn.Module]
    key: Callable[[Arch], Hashable]


def nets_of(way: Way, supernet: Supernet, archs: Sequence[Arch]) -> Iterator[nn.Module]:
    """Yields the net of each arch; views have in common what they compute alike while they are observed.

    All must see one minibatch, and the weights must stay as they are.
    """
    common = Beginning() if len(archs) > 1 else None
    for arch in archs:
        net = way.net(supernet, arch)
        if isinstance(net, ArchView):
            net.beginning = common
        yield net


OUTPUT_ONLY = Way(Supernet.view, lambda arch: mixture_of(arch).seen())
"""For proxies that see nothing but what reaches the output."""

EVERY_RELU = Way(Supernet.view, lambda arch: mixture_of(arch).seen(observed=True))
"""For proxies of ReLU patterns, which see the inputs of all ReLUs."""

DRAWN = Way(Shape, drawn_alike)
"""For proxies that draw weights of their own for the layers of the plain net."""

WHOLE = Way(Supernet.extract, lambda arch: arch)
"""For all others: the plain net with the weights of the supernet."""

LIVE = (
    *("az_expressivity", "az_progressivity", "az_trainability", "clear_paths", "epe_nas", "fisher"),
    *("fisher_channels", "grad_norm", "gradsign", "grasp", "jacob_cov", "lcmnas", "live_ops", "plain"),
    *("snip", "zico"),
)

ONE_BY_ONE: dict[str, tuple[Way, Proxy]] = {
    **{name: (OUTPUT_ONLY, PROXIES[name]) for name in LIVE},
    "linear_regions": (EVERY_RELU, cast(Proxy, linear_regions_on_view)),
    "naswot": (EVERY_RELU, cast(Proxy, naswot_on_view)),
    "near": (EVERY_RELU, cast(Proxy, near_on_view)),
    "swap": (EVERY_RELU, cast(Proxy, swap_on_view)),
    "zen": (DRAWN, cast(Proxy, zen_of_shape)),
    **{name: (WHOLE, PROXIES[name]) for name in ("meco", "ntk", "vkdnw")},
    "skip": (Way(Supernet.view, lambda arch: arch), PROXIES["skip"]),
}
"""For each proxy the net that it sees, and the function that sees it."""


def first_of_each(archs: Sequence[A], key: Callable[[A], Hashable]) -> tuple[list[A], list[int]]:
    """Returns the archs without those whose key was there before, and for each arch its place among them."""
    places: dict[Hashable, int] = {}
    first: list[A] = []
    where = []
    for arch in archs:
        place = places.setdefault(key(arch), len(first))
        if place == len(first):
            first.append(arch)
        where.append(place)
    return first, where


def one_by_one(name: str) -> Callable[[Supernet, Sequence[Arch], Tensor, Tensor], Tensor]:
    """Returns the batched form of the proxy `name` of `ONE_BY_ONE`."""
    way, proxy = ONE_BY_ONE[name]

    def batched(supernet: Supernet, archs: Sequence[Arch], inputs: Tensor, targets: Tensor) -> Tensor:
        different, where = first_of_each(archs, way.key)
        scores = [proxy(net, inputs, targets) for net in nets_of(way, supernet, different)]
        return torch.tensor(scores, dtype=torch.float64)[where]

    batched.__name__ = batched.__qualname__ = f"{name}_batched"
    batched.__doc__ = f"Returns `{name}` of every arch, `[len(archs)]`."
    return batched


def alike_together(archs: Sequence[str]) -> list[str]:
    """Returns `archs` with those side by side that are the same but for operations without effect."""
    return sorted(archs, key=lambda arch: (live_ops(to_ops(arch)), arch))
