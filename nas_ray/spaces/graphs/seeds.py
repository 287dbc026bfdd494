"""The graphs of well-known nets: those of torchvision that tell classes apart, without weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from nas_ray.errors import UsageError, describe, unknown_name
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.spaces.graphs.graph import LayerGraph, graph_of_calls
from nas_ray.spaces.graphs.seed_names import seed_names
from nas_ray.spaces.graphs.tracing import IMAGE, layers_called

SIZES = {"inception_v3": 299}
"""Height and width of the images of nets that cannot work on those of others."""


def seed_graph(name: str, *, hooks: str = "layers") -> LayerGraph:
    """Returns the graph of a net of torchvision, which has shapes and no numbers, so it takes no memory.

    Args:
        name: one of `seed_names()`.
        hooks: as in `layers_of`.

    Raises:
        UsageError: unknown, or it cannot be traced.
    """
    size = SIZES.get(name, IMAGE[-1])
    net = seed_net(name)
    with _WithoutNumbers():
        layers = layers_called(net, (3, size, size), name=name, hooks=hooks)
    return graph_of_calls(name, layers)


def seed_net(name: str) -> nn.Module:
    """Returns a net of torchvision on the device `meta`, in training as it is made.

    Raises:
        UsageError: unknown, or it cannot be made.
    """
    if name not in seed_names():
        raise UsageError(unknown_name("net", name, list(seed_names())))
    from torchvision.models import get_model

    try:
        with ForeignCode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _WithoutNumbers():
                net: nn.Module = get_model(name, weights=None)
            return net.to("meta")
    except Exception as error:
        raise UsageError(f"The net {name!r} cannot be made: {describe(error)}.") from error


def seed_graphs(
    names: Sequence[str] | None = None, *, hooks: str = "layers"
) -> Iterator[tuple[str, LayerGraph | UsageError]]:
    """Yields the name and the graph of each net, or why it has none.

    Args:
        names: some of `seed_names()`; None for all.
        hooks: as in `layers_of`.
    """
    for name in seed_names() if names is None else names:
        try:
            yield name, seed_graph(name, hooks=hooks)
        except UsageError as error:
            yield name, error


_FILLING = (torch.Tensor.normal_, torch.Tensor.uniform_)
"""What draws the initial values of weights."""


class _WithoutNumbers(TorchFunctionMode):
    """Makes what `torch.empty` returns without memory: weights, that is; and leaves out what keeps shapes.

    The device `meta` for all tensors would take those away that a net computes its widths from. Batch
    normalisation and random values take most of the time on that device, and change no shape.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = dict(kwargs or {})
        if func is torch.empty:
            options["device"] = "meta"
        if func is nn.functional.batch_norm:
            return torch.empty_like(args[0])
        if func in _FILLING and args[0].is_meta:
            return args[0]
        return func(*args, **options)
