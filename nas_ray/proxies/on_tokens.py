"""Proxies on nets that read a text: which make sense there, and nets as functions of their embedded words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

import torch
from torch import Tensor, nn

P = ParamSpec("P")
ProxyFunction = Callable[Concatenate[nn.Module, Tensor, Tensor, P], float]

OF_TEXT = ("begin", "run")
"""What a net of a text has beside `forward` (`nas_ray.training.recurrent`)."""
OF_EMBEDDING = ("embedded", "after_embedding")
"""What the nets of this package have beside that."""


def carries_state(net: nn.Module) -> bool:
    """Returns whether a net reads tokens and carries a state from one to the next."""
    return all(callable(getattr(net, name, None)) for name in OF_TEXT)


def has_embedding(net: nn.Module) -> bool:
    """Returns whether such a net can be run from embedded words on."""
    return all(callable(getattr(net, name, None)) for name in OF_EMBEDDING)


class FromEmbedding(nn.Module):
    """A net of tokens as one of embedded words, `[B, T, E] -> [B, T, V]`, with the same weights."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits from the beginning of a text on."""
        net: Any = self.net
        logits: Tensor = net.after_embedding(x.transpose(0, 1), net.begin(len(x))).logits
        return logits


@contextmanager
def by_operations(net: nn.Module) -> Iterator[None]:
    """Makes recurrent cells work operation by operation, which hooks of functions see."""
    fused = [module for module in net.modules() if getattr(module, "fused", False) is True]
    for module in fused:
        module.fused = False  # type: ignore[assignment]  # no weight
    try:
        yield
    finally:
        for module in fused:
            module.fused = True  # type: ignore[assignment]


def on_embedding(proxy: ProxyFunction[P]) -> ProxyFunction[P]:
    """Gives a proxy of real numbers the embedded words of a text, and the net from there on."""

    @wraps(proxy)
    def wrapper(net: nn.Module, inputs: Tensor, targets: Tensor, *args: P.args, **kwargs: P.kwargs) -> float:
        if inputs.is_floating_point() or not carries_state(net) or not has_embedding(net):
            return proxy(net, inputs, targets, *args, **kwargs)
        with by_operations(net):
            with torch.no_grad():
                words = cast(Any, net).embedded(inputs).clone()
            return proxy(FromEmbedding(net), words, targets, *args, **kwargs)

    return cast(ProxyFunction[P], wrapper)
