"""What every proxy that looks at images needs: some, finite ones, and gradients that can be taken."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

import torch
from torch import Tensor, nn

P = ParamSpec("P")
ProxyFunction = Callable[Concatenate[nn.Module, Tensor, Tensor, P], float]


def checked(proxy: ProxyFunction[P]) -> ProxyFunction[P]:
    """Makes a proxy refuse an empty batch and pixels that are not finite, with an error that names it.

    Under `torch.inference_mode` it runs as outside of it. Images on the meta device have no pixels to check.
    """
    name = proxy.__name__

    @wraps(proxy)
    def wrapper(net: nn.Module, inputs: Tensor, targets: Tensor, *args: P.args, **kwargs: P.kwargs) -> float:
        if len(inputs) == 0:
            raise ValueError(f"{name}: needs at least one image, got an empty batch.")
        if not inputs.is_meta and not torch.isfinite(inputs).all():
            raise ValueError(f"{name}: needs finite images, got pixels that are NaN or infinite.")
        if not torch.is_inference_mode_enabled():
            return proxy(net, inputs, targets, *args, **kwargs)
        with torch.inference_mode(False):
            return proxy(net, outside(inputs), outside(targets), *args, **kwargs)

    return cast(ProxyFunction[P], wrapper)


def outside(tensor: Tensor) -> Tensor:
    """Returns a tensor that autograd can work with."""
    return tensor.clone() if isinstance(tensor, Tensor) and tensor.is_inference() else tensor
