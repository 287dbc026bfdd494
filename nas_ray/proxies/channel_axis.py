"""Which axis of a tensor holds its channels: the second after convolutions, the last after linear layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS
from nas_ray.proxies.hooks import BATCH_NORMS, forward_hooks


class ChannelAxis:
    """Follows the layers that a net calls, while it watches, to tell how a tensor made by them lies."""

    def __init__(self) -> None:
        self._last = 0

    @contextmanager
    def watching(self, net: nn.Module) -> Iterator[None]:
        """Watches forward passes of `net`; to be entered before hooks that ask for an axis."""
        layers = [
            m for m in net.modules() if isinstance(m, (*LAYERS, *BATCH_NORMS)) or type(m) is nn.LayerNorm
        ]

        def see(layer: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
            by_last = isinstance(layer, (nn.Linear, nn.LayerNorm)) and output.dim() > 2
            self._last = output.shape[-1] if by_last else 0

        with forward_hooks(layers, see):
            yield

    def of(self, tensor: Tensor) -> int:
        """Returns -1 where the channels of the last layer are the last axis of `tensor` alone, else 1."""
        return -1 if tensor.dim() > 2 and tensor.shape[-1] == self._last != tensor.shape[1] else 1
