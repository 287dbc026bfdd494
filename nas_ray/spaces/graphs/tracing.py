"""Traces a net: runs it once and notes which layers are called, in which order, and what they are."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from nas_ray.errors import UsageError, describe
from nas_ray.errors.checks import instance
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.spaces.graphs.graph import Layer, LayerGraph, graph_of_calls
from nas_ray.spaces.graphs.properties import properties_of

IMAGE = (3, 224, 224)
"""Channels, height and width of the images that a net is run on where nothing else is said."""
BATCH = 2
"""Images; batch normalisation in training can take no spread of one value."""
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
COMPOSITES = (
    *("Bottleneck", "Inception", "InvertedResidual", "BasicBlock", "Fire", "BasicConv2d", "DenseBlock"),
    *("DenseLayer", "LinearLayer"),
)
"""Parts of the names of classes that the released code of LCMNAS takes for blocks, and not for layers."""
NET = instance(nn.Module, "a net, an nn.Module")


def trace(
    net: nn.Module, image: Sequence[int] = IMAGE, *, name: str | None = None, hooks: str = "layers"
) -> LayerGraph:
    """Returns the graph of a net, which stays as it was.

    The net runs once, in the mode in which it is: nets are made in training, where some have further outputs.

    Args:
        net: `[B, C, H, W] -> anything`, on any device, `meta` included.
        image: channels, height and width of the images that it runs on.
        name: of the graph; None for the class of the net.
        hooks: `layers` or `released`, as in `layers_of`.

    Raises:
        UsageError: the net cannot run on such images, or calls no layer.
    """
    name = type(net).__name__ if name is None else name
    return graph_of_calls(name, layers_of(net, image, name=name, hooks=hooks))


def layers_of(
    net: nn.Module, image: Sequence[int] = IMAGE, *, name: str = "net", hooks: str = "layers"
) -> list[Layer]:
    """Returns the calls of layers in the order in which they end; one that is called twice is there twice.

    A layer is a module that calls no other one while it runs, and is neither the net nor a container. What
    blocks compute by functions, such as `torch.flatten` or `relu` of `torch.nn.functional`, is no layer.
    `hooks="released"` is the rule of the released code of LCMNAS instead: every module counts but the net,
    containers, and blocks in the name of whose class is one of `COMPOSITES`. On the nets that this code knew
    both rules give the same.

    Args:
        net: `[B, C, H, W] -> anything`.
        image: channels, height and width.
        name: of the net, for messages.
        hooks: which modules count.

    Raises:
        UsageError: the net cannot run on such images.
    """
    NET.check("net", net)
    with _as_it_was(net) as run:
        return layers_called(run, image, name=name, hooks=hooks)


def layers_called(net: nn.Module, image: Sequence[int], *, name: str, hooks: str) -> list[Layer]:
    """Returns what `layers_of` returns, and runs the net itself, which is then another one.

    Raises:
        UsageError: the net cannot run on such images.
    """
    if hooks not in _RULES:
        raise UsageError(f"hooks must be one of {', '.join(_RULES)}, got {hooks!r}.")
    calls: list[Layer] = []
    try:
        with ForeignCode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _noted(net, calls, _RULES[hooks]), torch.enable_grad():  # without it blocks take short cuts
                net(_images(net, tuple(image)))
    except Exception as error:
        raise UsageError(
            f"The net {name!r} must run on images of {'x'.join(map(str, image))}, but: {describe(error)}."
        ) from error
    return calls


Counts = Callable[[nn.Module, bool], bool]
"""Whether a call of a module counts, given whether it called others."""


def _is_layer(module: nn.Module, calls_others: bool) -> bool:
    named = any(part in type(module).__name__ for part in COMPOSITES) and any(module.children())
    return not calls_others and not isinstance(module, CONTAINERS) and not named


def _is_hooked_in_release(module: nn.Module, calls_others: bool) -> bool:
    named = any(part in type(module).__name__ for part in COMPOSITES)
    return not isinstance(module, (nn.Sequential, nn.ModuleList)) and not named


_RULES: dict[str, Counts] = {"layers": _is_layer, "released": _is_hooked_in_release}


@contextmanager
def _noted(net: nn.Module, calls: list[Layer], counts: Counts) -> Iterator[None]:
    """Notes the calls of modules that count; one that raises, which the net may catch, counts not.

    Hooks for all modules meet each call once, that of a module in two places too, and of one in none.
    """
    calls_others: list[bool] = []
    handled: list[BaseException | None] = []  # what was being handled where a call began

    def begins(module: nn.Module, given: Any) -> None:
        if calls_others:
            calls_others[-1] = True
        calls_others.append(False)
        handled.append(sys.exc_info()[1])

    def ends(module: nn.Module, given: Any, result: Any) -> None:
        others, raised = calls_others.pop(), sys.exc_info()[1] is not handled.pop()
        if not raised and counts(module, others) and module is not net:
            kind = type(module).__name__
            calls.append(Layer(kind, properties_of(module, kind)))

    hooks = [register_module_forward_pre_hook(begins), register_module_forward_hook(ends, always_call=True)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _as_it_was(net: nn.Module) -> Iterator[nn.Module]:
    """Gives what is run in place of a net: a copy, else the net itself, whose buffers are put back."""
    copied = _copied(net)
    kept = [] if copied is not None else [(buffer, buffer.detach().clone()) for buffer in net.buffers()]
    try:
        yield net if copied is None else copied
    finally:
        with torch.no_grad():
            for buffer, before in kept:
                buffer.copy_(before)


def _copied(net: nn.Module) -> nn.Module | None:
    try:
        return copy.deepcopy(net)
    except Exception:  # such as of weights that are computed from others
        return None


def _images(net: nn.Module, image: tuple[int, ...]) -> Tensor:
    first = next(net.parameters(), None)
    if first is None:
        return torch.rand(BATCH, *image)
    dtype = first.dtype if first.is_floating_point() else None
    return torch.rand(BATCH, *image, device=first.device, dtype=dtype)
