"""What every proxy that looks at images needs: some, finite ones, and gradients that can be taken."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
"""Layers that proxies of weights score."""

P = ParamSpec("P")
ProxyFunction = Callable[Concatenate[nn.Module, Tensor, Tensor, P], float]


def checked(proxy: ProxyFunction[P]) -> ProxyFunction[P]:
    """Makes a proxy refuse an empty batch and pixels that are not finite, with an error that names it.

    It also refuses a score that is 0 or undefined where a layer has nothing but zeros as weights. Under
    `torch.inference_mode` it runs as outside of it. Images on the meta device have no pixels to check.
    """
    name = proxy.__name__

    @wraps(proxy)
    def wrapper(net: nn.Module, inputs: Tensor, targets: Tensor, *args: P.args, **kwargs: P.kwargs) -> float:
        if len(inputs) == 0:
            raise ValueError(f"{name}: needs at least one image, got an empty batch.")
        if not inputs.is_meta and not torch.isfinite(inputs).all():
            raise ValueError(f"{name}: needs finite images, got pixels that are NaN or infinite.")
        if not torch.is_inference_mode_enabled():
            return informative(name, proxy(net, inputs, targets, *args, **kwargs), net)
        with torch.inference_mode(False):
            score = proxy(net, outside(inputs), outside(targets), *args, **kwargs)
            return informative(name, score, net)

    return cast(ProxyFunction[P], wrapper)


def informative(name: str, score: float, net: nn.Module) -> float:
    """Returns `score`.

    Raises:
        ValueError: it says nothing of the net, since a layer has weights of zero.
    """
    if score == 0 or not math.isfinite(score):
        for place, layer in net.named_modules():
            weight = getattr(layer, "weight", None) if isinstance(layer, LAYERS) else None
            if isinstance(weight, Tensor) and not weight.is_meta and not weight.any():
                raise ValueError(
                    f"{name}: is {score:g} and says nothing of the net, since the weight of "
                    f"{place or 'it'} is all zeros; give it random weights first."
                )
    return score


@contextmanager
def needed_derivatives(name: str) -> Iterator[None]:
    """Computes attention so that torch can differentiate it again, and turns torch's refusal into ours.

    Raises:
        ValueError: torch has no such derivative of a function that the net calls.
    """
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    except (RuntimeError, NotImplementedError) as error:
        text = str(error)
        if "not implemented" not in text and "does not support" not in text:
            raise
        function = re.search(r"aten::(\w+?)(_backward)?\b", text)
        called = function[1] if function else type(error).__name__
        raise ValueError(
            f"{name}: torch lacks a derivative that is needed, of {called}; replace that function in the net."
        ) from error


def outside(tensor: Tensor) -> Tensor:
    """Returns a tensor that autograd can work with."""
    return tensor.clone() if isinstance(tensor, Tensor) and tensor.is_inference() else tensor
