"""Limits on parameters and multiply-adds, for any searcher: a space without the archs above them."""

from __future__ import annotations

from collections.abc import Hashable

import torch

from nas_ray.errors import UsageError
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.proxies.flops import flops
from nas_ray.proxies.params import params
from nas_ray.spaces.base import CostClassSpace, CostSpace, SearchSpace
from nas_ray.spaces.filtered import FilteredSpace


class Costs:
    """Counts parameters and multiply-adds of archs on nets without memory, each kind of arch once.

    A `CostSpace` says both by itself; of a `CostClassSpace` one arch is counted for all of its class.
    Otherwise every arch is counted once.

    Args:
        space: how an arch becomes a net.
        num_classes: outputs of the net.
        image: channels, height and width of an image, or `[1, ...]`, an input of nets that read none.
    """

    def __init__(
        self,
        space: SearchSpace,
        num_classes: int = 10,
        image: tuple[int, int, int] | torch.Tensor = (3, 32, 32),
    ) -> None:
        self.space = space
        self.num_classes = num_classes
        if isinstance(image, torch.Tensor):
            self.image, self.example = (3, 32, 32), image  # recurrent steps need a real device
        else:
            self.image, self.example = image, torch.empty(1, *image, device="meta")
        self._formula = space.cost if isinstance(space, CostSpace) else None
        self._class_of = space.cost_class if isinstance(space, CostClassSpace) else None
        self._known: dict[Hashable, tuple[float, float]] = {}

    def __call__(self, arch: str) -> tuple[float, float]:
        """Returns parameters, and multiply-adds for one image, as the proxies `params` and `flops` count."""
        if self._formula and (known := self._formula(arch, self.num_classes, self.image)):
            return float(known[0]), float(known[1])
        key: Hashable = self._class_of(arch) if self._class_of else arch
        if key not in self._known:
            self._known[key] = self._count(arch)
        return self._known[key]

    def _count(self, arch: str) -> tuple[float, float]:
        with ForeignCode(), self.example.device, torch.random.fork_rng(devices=[]):
            net = self.space.build(arch, self.num_classes)
            inputs, targets = self.example, torch.empty(1, dtype=torch.int64)
            multiply_adds = flops(net, inputs, targets)  # first: its pass gives lazy layers their shapes
            return params(net, inputs, targets), multiply_adds


class Limits:
    """Accepts archs with at most `max_params` parameters and `max_flops` multiply-adds; None for no limit.

    Raises:
        UsageError: a limit is not positive, or there is none.
    """

    def __init__(self, costs: Costs, max_params: float | None, max_flops: float | None) -> None:
        given = [limit for limit in (max_params, max_flops) if limit is not None]
        if not given or not all(limit > 0 for limit in given):
            raise UsageError(
                f"max_params and max_flops must be positive, and one of them given, got "
                f"max_params={max_params} and max_flops={max_flops}."
            )
        self.costs = costs
        self.max_params = max_params
        self.max_flops = max_flops

    def __call__(self, arch: str) -> bool:
        """Returns whether `arch` keeps the limits."""
        bounds = (self.max_params, self.max_flops)
        return all(
            bound is None or cost <= bound for cost, bound in zip(self.costs(arch), bounds, strict=True)
        )

    def __str__(self) -> str:
        return f"max_params={self.max_params} and max_flops={self.max_flops}"


def limited(
    space: SearchSpace,
    *,
    max_params: float | None = None,
    max_flops: float | None = None,
    num_classes: int = 10,
    image: tuple[int, int, int] | torch.Tensor = (3, 32, 32),
) -> SearchSpace:
    """Returns the archs of `space` with at most these costs, as a space for any searcher.

    Args:
        space: any space; itself where there is no limit.
        max_params: parameters.
        max_flops: multiply-adds for one image.
        num_classes: outputs of the nets.
        image: channels, height and width of an image, or `[1, ...]`, an input of nets that read none.

    Raises:
        UsageError: a limit is not positive, or no arch keeps them.
    """
    if max_params is None and max_flops is None:
        return space
    return FilteredSpace(space, Limits(Costs(space, num_classes, image), max_params, max_flops))
