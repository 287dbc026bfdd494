"""Images with channels last, the order in which convolutions and batch norm take half the time on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

import torch
from torch import Tensor, nn

from nas_ray.proxies.sharing import shared

P = ParamSpec("P")
ProxyFunction = Callable[Concatenate[nn.Module, Tensor, Tensor, P], float]

REFUSED = "view size is not compatible"
"""Begins what torch says of a `view` that only the usual order of a map allows."""


def with_channels_last(proxy: ProxyFunction[P]) -> ProxyFunction[P]:
    """Gives a proxy its images with channels last where that is faster; convolutions pass the order on.

    Scores change by the rounding of sums. A net that looks at its maps with `view`, for which the order
    matters, gets its images in the order given.
    """

    @wraps(proxy)
    def wrapper(net: nn.Module, inputs: Tensor, targets: Tensor, *args: P.args, **kwargs: P.kwargs) -> float:
        moved = channels_last(inputs) if is_faster(net, inputs) else inputs
        try:
            return proxy(net, moved, targets, *args, **kwargs)
        except RuntimeError as error:
            if moved is inputs or REFUSED not in str(error):
                raise
        return proxy(net, inputs, targets, *args, **kwargs)

    return cast(ProxyFunction[P], wrapper)


def is_faster(net: nn.Module, inputs: Tensor) -> bool:
    """Returns whether `net` has convolutions for `inputs`, and torch kernels for them in that order."""
    fitting = isinstance(inputs, Tensor) and inputs.dim() == 4 and inputs.dtype == torch.float32
    if not fitting or inputs.device.type != "cpu" or inputs.is_contiguous(memory_format=torch.channels_last):
        return False
    return any(isinstance(module, nn.Conv2d) for module in net.modules())


@shared
def channels_last(images: Tensor) -> Tensor:
    """Returns `images [B, C, H, W]` in that order: the same tensor for all proxies that share work."""
    return images.detach().contiguous(memory_format=torch.channels_last)
