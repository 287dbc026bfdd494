"""Graphs of nets: by hand, against an independent tracer, and as files."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from nas_ray.errors import UsageError
from nas_ray.spaces.graphs import (
    END,
    START,
    layers_of,
    seed_graph,
    trace,
)
from nas_ray.spaces.graphs.properties import released


def test_resnet18_and_its_properties() -> None:
    graph = seed_graph("resnet18")
    assert graph.transitions == {
        START: {"Conv2d": 1},
        "Conv2d": {"BatchNorm2d": 20},
        "BatchNorm2d": {"ReLU": 17, "Conv2d": 3},
        "ReLU": {"MaxPool2d": 1, "Conv2d": 15, "AdaptiveAvgPool2d": 1},
        "MaxPool2d": {"Conv2d": 1},
        "AdaptiveAvgPool2d": {"Linear": 1},
        "Linear": {END: 1},
    }
    assert graph.properties == {
        "Conv2d": {
            "out_channels": {"64": 5, "128": 5, "256": 5, "512": 5},
            "kernel_size": {"7x7": 1, "3x3": 16, "1x1": 3},
            "stride": {"2x2": 7, "1x1": 13},
            "padding": {"3x3": 1, "1x1": 16, "0x0": 3},
            "dilation": {"1x1": 20},
            "groups": {"1": 20},
        },
        "BatchNorm2d": {},
        "ReLU": {},
        "MaxPool2d": {
            "kernel_size": {"3x3": 1}, "stride": {"2x2": 1}, "padding": {"1x1": 1}, "dilation": {"1x1": 1}
        },
        "AdaptiveAvgPool2d": {"output_size": {"1x1": 1}},
        "Linear": {"out_features": {"1000": 1}},
    }  # fmt: skip
    assert (graph.layers, graph.nets, graph.name) == (60, 1, "resnet18")


def test_densenet121() -> None:
    """Its last ReLU, its pooling and its flattening are functions; those of the transitions are modules."""
    graph = seed_graph("densenet121")
    assert graph.transitions == {
        START: {"Conv2d": 1},
        "Conv2d": {"BatchNorm2d": 117, "AvgPool2d": 3},
        "BatchNorm2d": {"ReLU": 120, "Linear": 1},
        "ReLU": {"MaxPool2d": 1, "Conv2d": 119},
        "MaxPool2d": {"BatchNorm2d": 1},
        "AvgPool2d": {"BatchNorm2d": 3},
        "Linear": {END: 1},
    }


def test_what_the_released_code_keeps() -> None:
    graph = released(seed_graph("resnet18", hooks="released"))
    assert graph.transitions == seed_graph("resnet18").transitions
    assert graph.properties["Conv2d"] == {
        "out_channels": {"64": 1, "128": 1, "256": 1, "512": 1},
        "kernel_size": {"7x7": 1, "3x3": 1, "1x1": 1},
    }
    assert graph.properties["MaxPool2d"] == {"kernel_size": {"3x3": 1}}
    assert graph.properties["AdaptiveAvgPool2d"] == {"output_size": {"1x1": 1}}
    assert released(seed_graph("alexnet")).properties["Dropout"] == {"p": {"0.5": 1}}


class Own(nn.Module):
    """Calls a layer twice, one from two places, one that is no part of it, functions, and an empty block."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding="same")
        self.relu = nn.ReLU()
        self.twice = nn.ModuleList([self.relu, nn.Sequential(self.relu)])
        self.norm = nn.BatchNorm2d(3)
        self.shortcut = nn.Sequential()
        self.head = nn.Linear(3, 2)
        self.listed = [nn.Hardswish()]
        self.never = nn.Dropout()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv(x)) + self.shortcut(x)
        x = self.twice[1](self.norm(functional.relu(x)))
        return self.head(self.listed[0](x).mean((2, 3)))


def kinds(net: nn.Module, size: int = 16, **options: Any) -> list[str]:
    return [layer.kind for layer in layers_of(net, (3, size, size), **options)]


def test_a_layer_counts_for_each_of_its_calls() -> None:
    called = ["Conv2d", "ReLU", "BatchNorm2d", "ReLU", "Hardswish", "Linear"]
    for hooks in ("layers", "released"):
        assert kinds(Own(), hooks=hooks) == called
    assert layers_of(Own(), (3, 16, 16))[0].properties["padding"] == "same"


class Attention(nn.Module):
    """A block that the released code does not know, with a layer that uses the weights of its part itself."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x.flatten(2).transpose(1, 2)[..., :1].expand(-1, -1, 8))
        return self.attention(x, x, x)[0]


class TinyBottleneck(nn.Sequential):
    pass


class BottleneckOfTwo(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.parts = TinyBottleneck(nn.Identity(), Attention())

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x)


def test_blocks() -> None:
    net = nn.Sequential(BottleneckOfTwo(), nn.Flatten())
    assert kinds(net) == ["Identity", "LayerNorm", "MultiheadAttention", "Flatten"]
    blocks = ["Identity", "LayerNorm", "MultiheadAttention", "Attention", "Flatten"]
    assert kinds(net, hooks="released") == blocks
    (found,) = [layer for layer in layers_of(net, (3, 4, 4)) if layer.kind == "MultiheadAttention"]
    assert found.properties == {"num_heads": "2"}


def test_a_net_stays_as_it_was() -> None:
    net = Own()
    net.lazy = nn.LazyLinear(2)
    before = copy.deepcopy(net.norm.state_dict())
    state, drawn = torch.get_rng_state(), random.getstate()
    graph = trace(net, (3, 16, 16))
    assert graph.name == "Own"
    assert all(torch.equal(before[key], value) for key, value in net.norm.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert drawn == random.getstate()
    assert net.training
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks
    assert isinstance(net.lazy.weight, nn.UninitializedParameter)
    assert kinds(nn.Sequential(nn.LazyConv2d(2, 3))) == ["Conv2d"]


def test_a_net_that_cannot_be_copied_stays_as_it_was() -> None:
    net = Own()
    net.__dict__["computed"] = net.head.weight * 2  # which torch does not copy
    before = copy.deepcopy(net.norm.state_dict())
    assert len(kinds(net)) == 6
    assert all(torch.equal(before[key], value) for key, value in net.norm.state_dict().items())


def test_the_mode_of_a_net_is_kept() -> None:
    """In training googlenet has two more classifiers, and in evaluation an encoder may skip its layers."""
    net = models.googlenet(weights=None, init_weights=False)
    assert kinds(net, 64).count("Linear") == 5
    assert kinds(net.eval(), 64).count("Linear") == 1
    encoder = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    net = nn.Sequential(nn.Flatten(2), encoder)
    assert kinds(net, 2) == kinds(net.eval(), 2)
    assert kinds(net, 2).count("Linear") == 2


class Fails(nn.Module):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: Tensor) -> Tensor:
        torch.set_default_dtype(torch.float64)
        raise self.error


class START_(nn.ReLU):
    pass


START_.__name__ = START


@pytest.mark.parametrize(
    ("make", "image", "says"),
    [
        (
            lambda: nn.Linear(3, 4),
            (3, 8, 8),
            "The net 'Linear' must run on images of 3x8x8, but: RuntimeError",
        ),
        (lambda: Fails(ValueError("odd")), (3, 8, 8), "must run on images of 3x8x8, but: ValueError: odd."),
        (
            lambda: Fails(SystemExit(3)),
            (3, 8, 8),
            "The net 'Fails' must run on images of 3x8x8, but: SystemExit",
        ),
        (nn.Identity, (3, 8, 8), "The net 'Identity' must call layers that are modules, but calls none"),
        (lambda: nn.Sequential(START_()), (3, 8, 8), "has a layer of the class START, which is the name of"),
        (lambda: "resnet18", (3, 8, 8), "net must be a net, an nn.Module, got 'resnet18'."),
    ],
)
def test_what_cannot_be_traced(make: Callable[[], Any], image: tuple[int, ...], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        trace(make(), image)
    assert says in str(caught.value)
    assert torch.get_default_dtype() is torch.float32
    assert not nn.modules.module._global_forward_hooks


def test_unknown_hooks_and_unknown_seeds() -> None:
    with pytest.raises(UsageError, match="hooks must be one of layers, released, got 'all'"):
        trace(Own(), (3, 16, 16), hooks="all")
    with pytest.raises(UsageError, match="Unknown net 'resnet19'"):
        seed_graph("resnet19")


class Falling(nn.Module):
    """A block that raises, before or after it called a layer."""

    def __init__(self, after: bool) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1)
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        if self.after:
            self.layer(x)
        raise ValueError("no such size")


class Caught(nn.Module):
    """A block that catches what others raise, and goes on."""

    def __init__(self, after: bool) -> None:
        super().__init__()
        self.falling = Falling(after)
        self.relu, self.last = nn.ReLU(), nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        try:
            x = self.falling(x)
        except ValueError:
            x = self.relu(x)
        return self.last(x)


@pytest.mark.parametrize("after", [False, True])
def test_a_net_may_catch_what_its_modules_raise(after: bool) -> None:
    net = nn.Sequential(nn.Identity(), Caught(after), nn.Tanh())
    kinds = ["Identity", *["Conv2d"] * after, "ReLU", "Sigmoid", "Tanh"]
    assert [layer.kind for layer in layers_of(net, (3, 4, 4))] == kinds


class Tries(nn.Module):
    """A block that catches what its only part raises, and calls nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.falling = Falling(after=False)

    def forward(self, x: Tensor) -> Tensor:
        with contextlib.suppress(ValueError):
            x = self.falling(x)
        return x


def test_a_block_whose_only_part_raises_is_no_layer() -> None:
    net = nn.Sequential(nn.Identity(), Tries(), nn.Tanh())
    assert [layer.kind for layer in layers_of(net, (3, 4, 4))] == ["Identity", "Tanh"]
