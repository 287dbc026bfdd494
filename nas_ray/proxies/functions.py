"""What a net does besides calling modules: the torch functions it calls, and the weights that they take."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nas_ray.proxies.hooks import forward_hooks, forward_pre_hooks

Function = Callable[..., Any]


class Functions(TorchFunctionMode):
    """Within it a subclass sees, and may replace, every call of a torch function (`call`).

    `F.multi_head_attention_forward` would hide what it calls, and with it the weight of `out_proj`, so it is
    opened. Fused forms of attention layers are off, since torch leaves them to calls that nobody watches.

    Attributes:
        in_attention: the call is one of that function, whose rows are tokens first and images second.
    """

    in_attention = False

    def call(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Returns the result of a call."""
        return function(*args, **kwargs)

    def __torch_function__(
        self, func: Function, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is not F.multi_head_attention_forward:
            return self.call(func, args, kwargs or {})
        self.in_attention = True
        try:
            with self:
                return OPEN_ATTENTION(*args, **(kwargs or {}))
        finally:
            self.in_attention = False


def opened(function: Function) -> Function:
    """Returns a function of `torch.nn.functional` that does not pass itself to a mode as a whole."""
    assert isinstance(function, types.FunctionType)
    scope = {**function.__globals__, "has_torch_function": lambda *_: False}
    twin = types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__)
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin


OPEN_ATTENTION = opened(F.multi_head_attention_forward)


class OutsideUses(Functions):
    """Finds the parameters that take part in a forward pass otherwise than by calls of their modules.

    Such are weights tied to another part of the net by a function, `out_proj` of `nn.MultiheadAttention`,
    and layers whose weights a block hands to `F.linear` itself, as torchvision's Swin does. Hooks see none
    of them.

    Args:
        modules: whose own parameters are watched.

    Attributes:
        outside: ids of the parameters found.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        super().__init__()
        self.modules = list(modules)
        self.outside: set[int] = set()
        self._running: list[nn.Module] = []
        self._watched = {id(p) for module in self.modules for p in module.parameters(recurse=False)}

    def call(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Returns the result, after `used` where it depends on a watched parameter of no running module."""
        result = function(*args, **kwargs)
        if differentiable(result):
            taken = {id(tensor) for tensor in tensors_of((args, kwargs))} & self._watched
            running = {id(p) for module in self._running for p in module.parameters(recurse=False)}
            if taken - running:
                return self.used(function, args, kwargs, result, taken - running)
        return result

    def used(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, found: set[int]
    ) -> Any:
        """Returns the result of a call that took the parameters `found`; they are noted."""
        self.outside |= found
        return result

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches the forward passes within it."""

        def begin(module: nn.Module, args: tuple[Any, ...]) -> None:
            self._running.append(module)

        def end(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            self._running.remove(module)

        with forward_pre_hooks(self.modules, begin), forward_hooks(self.modules, end), self:
            yield


class LayerFunctions(OutsideUses):
    """Shows what a net computes with the weight of a layer without calling the layer, as if it had.

    Args:
        layers: convolutions and linear layers.
        watch: called as a forward hook: with the layer, its input and the output, which it may replace.
        functions: those that are shown.
        same_bias: only calls with the bias of the layer are shown.

    Attributes:
        outside: ids of the parameters of layers that are used in any other way.
    """

    def __init__(
        self,
        layers: Iterable[nn.Module],
        watch: Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor | None],
        functions: Sequence[Function] = (F.linear,),
        *,
        same_bias: bool = True,
    ) -> None:
        super().__init__(layers)
        self._watch = watch
        self._functions = functions
        self._same_bias = same_bias

    def used(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, found: set[int]
    ) -> Any:
        """Returns the result of a call that took the parameters `found`, shown to `watch`."""
        layer = None if kwargs or function not in self._functions else self._owner(args)
        if layer is None:
            return super().used(function, args, kwargs, result, found)
        watched = self._watch(layer, args[:1], result)
        return result if watched is None else watched

    def _owner(self, args: tuple[Any, ...]) -> nn.Module | None:
        bias = args[2] if len(args) > 2 else None
        layers = (layer for layer in self.modules if getattr(layer, "weight", None) is args[1])
        return next((layer for layer in layers if not self._same_bias or layer.bias is bias), None)


def image_of_rows(rows: int, images: int, tokens_first: bool, device: torch.device) -> Tensor | None:
    """Returns for each of `rows` the image that it belongs to, None where they cannot be shared out.

    A net that makes several rows of an image puts them after each other, as windows are, but for attention.
    """
    if rows % images:
        return None
    order = torch.arange(images, device=device)
    return order.repeat(rows // images) if tokens_first else order.repeat_interleave(rows // images)


def tensors_of(values: Any) -> Iterator[Tensor]:
    """Yields the tensors in nested sequences and dicts."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, (tuple, list)):
        for value in values:
            yield from tensors_of(value)
    elif isinstance(values, dict):
        yield from tensors_of(list(values.values()))


def differentiable(result: Any) -> bool:
    """Returns whether a gradient could flow back from the result of a function."""
    return any(tensor.requires_grad for tensor in tensors_of(result))
