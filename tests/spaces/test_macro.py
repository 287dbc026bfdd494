"""The space `macro`: chains drawn from graphs, and the nets that they are."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.proxies import flops, params
from nas_ray.spaces.graphs import graph_of, seed_graph, trace
from nas_ray.spaces.macro.chain import tokens_of, written
from nas_ray.spaces.macro.plan import steps_of
from nas_ray.spaces.macro.seeds import ORDER, SEEDS, seeds
from nas_ray.spaces.macro.space import Macro, child_graph
from nas_ray.spaces.macro.variant import VARIANTS
from nas_ray.spaces.named import open_space
from tests.guards.commands import call
from tests.spaces.conftest import Fault

SPACE, DESCRIBED = Macro(), Macro(variant="described")
BOTH = pytest.mark.parametrize("space", [SPACE, DESCRIBED], ids=list(VARIANTS))


def test_a_net_by_hand() -> None:
    """Maximum pooling averages, ReLU6 is ReLU, and a block that keeps the map keeps its channels, if even."""
    net = SPACE.build(
        "conv:4:3x3-bn-relu6-max:2x2-res-down:3-to:1x1-to:7x7-square-linear:9-relu-dropout:0.5-head", 5
    )
    layers = [type(layer).__name__ for layer in net.layers]
    assert layers == [
        *("Conv2d", "BatchNorm2d", "ReLU", "AvgPool2d", "Bottleneck", "Bottleneck", "AdaptiveAvgPool2d"),
        *("AdaptiveAvgPool2d", "LinearLayer", "LinearLayer", "ReLU", "Dropout", "LinearLayer"),
    ]
    shapes = []
    x = torch.randn(2, 3, 32, 32)
    for layer in net.layers:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    maps = [*[(4, 32, 32)] * 3, *[(4, 16, 16)] * 2, (6, 8, 8), (6, 8, 8), *[(6, 7, 7)] * 2]
    assert shapes == [*maps, (9,), (9,), (9,), (5,)]
    assert sum(p.numel() for p in net.layers[0].parameters()) == 4 * 3 * 9 + 4
    keeps, halves = net.layers[4], net.layers[5]
    assert not [*keeps.shortcut]
    assert sum(p.numel() for p in keeps.parameters()) == 4 * 2 + 2 * 2 * 9 + 2 * 4 + 2 * (2 + 2 + 4)
    assert sum(p.numel() for p in halves.parameters()) == 4 * 3 + 3 * 3 * 9 + 3 * 6 + 2 * 12 + 4 * 6 + 2 * 6
    assert net.layers[8].linear.out_features == 6 * 49


def test_the_first_block_projects_three_channels() -> None:
    (block, *_) = SPACE.build("res-head", 2).layers
    assert block(torch.randn(2, 3, 32, 32)).shape == (2, 2, 32, 32)
    assert [*block.shortcut]


@pytest.mark.parametrize(
    ("arch", "says"),
    [
        ("", "does not end with head alone, or is too long."),
        ("conv:8:3x3", "does not end with head alone"),
        ("head-head", "does not end with head alone"),
        ("-".join(["relu"] * 2000) + "-head", "is too long"),
        ("-".join(["relu"] * 500) + "-head", "has more than 500 layers."),
        ("conv:8-head", "has 'conv:8'."),
        ("conv:08:3x3-head", "has 'conv:08:3x3'."),
        ("conv:8:3x3 -head", "has 'conv:8:3x3 '."),
        ("bn:3-head", "has 'bn:3'."),
        ("dropout:1.0-head", "has 'dropout:1.0'."),
        ("dropout:0.50-head", "has 'dropout:0.50'."),
        ("gelu-head", "has 'gelu'."),
        (
            "conv:8:3x3:s2-max:7x7-head",
            "has 'conv:8:3x3:s2', and strides, paddings, dilations and groups need as=",
        ),
        (
            "linear:4-bn-head",
            "cannot be built (An arch of macro must have no bn behind a layer that makes features",
        ),
        (
            "linear:4-square-head",
            "must have no square behind a layer that makes features, got square after linear:4",
        ),
        ("conv:8:3x3-head", "has 8,192 values before its last layers, more than 6,000."),
        ("square-relu-max:2x2-max:2x2-conv:1:1x1-head", None),
        ("conv:64:1x1-square-bn-max:31x31-head", "weights, more than 10,000,000."),
        (
            "conv:2000:1x1-relu-relu-relu-max:31x31-head",
            "takes 31.3 MiB for the maps of an image, more than 16.",
        ),
        ("max:2x2-" + "down:8-" * 63 + "head", "has more than 500 layers."),
    ],
)
def test_archs_that_are_none(arch: str, says: str | None) -> None:
    assert (arch in SPACE) == (says is None)
    if says is not None:
        with pytest.raises(UsageError) as caught:
            SPACE.build(arch, 10)
        assert says in str(caught.value)


def test_what_is_no_text_is_no_arch() -> None:
    assert 3 not in SPACE
    with pytest.raises(UsageError, match="An arch must be a string, got 3"):
        SPACE.build(3, 10)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arch", "says"),
    [
        ("conv:96:7x7:s2-bn-relu6-max:3x3:s2:p1-conv:48:3x3:g48-head", None),
        ("conv:9:3x3:s2x1-to:7x7-head", None),
        ("conv:9:3x3:s2x2-to:7x7-head", "has 'conv:9:3x3:s2x2', which is written conv:9:3x3:s2."),
        (
            "conv:9:3x3:s1-to:7x7-head",
            "is written conv:9:3x3-to:7x7-head, by what its layers do on 32 pixels.",
        ),
        ("conv:9:3x3:p1-to:7x7-head", "is written conv:9:3x3-to:7x7-head,"),
        ("conv:9:1x1:p1-to:7x7-head", "is written conv:9:1x1-to:7x7-head,"),
        ("conv:9:3x3:g9-to:7x7-head", "is written conv:9:3x3:g3-to:7x7-head,"),
        ("conv:9:3x3:d20-to:7x7-head", "is written conv:9:3x3-to:7x7-head,"),
        ("max:2x2:s2-head", "is written max:2x2-head,"),
        ("max:31x31-conv:4:3x3:s2:p0-head", "is written max:31x31-conv:4:3x3-head,"),
        ("max:31x31-max:2x2-head", "is written max:31x31-max:1x1-head,"),
        ("max:3x3:p2:s2-head", "has 'max:3x3:p2:s2'."),
    ],
)
def test_archs_as_described_say_what_their_layers_do(arch: str, says: str | None) -> None:
    assert (arch in DESCRIBED) == (says is None)
    if says is not None:
        with pytest.raises(UsageError) as caught:
            DESCRIBED.build(arch, 10)
        assert says in str(caught.value)


def test_a_net_as_described_by_hand() -> None:
    """Beside torch's own layers on equal weights: strides, padding, groups, maxima and the bound of ReLU6."""
    net = DESCRIBED.build(
        "conv:6:7x7:s2-relu6-max:3x3:s2:p1-conv:4:3x3:p0:g2-conv:4:3x3:d2-avg:2x2:s1-max:2x2-head", 5
    )
    first, _, _, grouped, dilated, *_, head = net.layers
    x = 9 * torch.randn(2, 3, 32, 32)
    y = nn.functional.conv2d(x, first.weight, first.bias, stride=2, padding=3).clamp(0, 6)
    y = nn.functional.max_pool2d(y, 3, 2, 1)
    y = nn.functional.conv2d(y, grouped.weight, grouped.bias, groups=2)
    y = nn.functional.conv2d(y, dilated.weight, dilated.bias, padding=2, dilation=2)
    y = nn.functional.max_pool2d(nn.functional.avg_pool2d(y, 2, 1), 2)
    assert y.shape == (2, 4, 2, 2)
    torch.testing.assert_close(net(x), head.linear(y.flatten(1)))
    assert grouped.weight.shape == (4, 3, 3, 3)


def agrees(space: Macro, arch: str, fault: Fault) -> None:
    """The graph that is computed is that of the net, weights and values too, and it learns at all sizes."""
    torch.manual_seed(0)
    net = space.build(arch, 10)
    steps = steps_of(tokens_of(arch), (3, 32, 32), 10)
    assert sum(step.params for step in steps) == sum(p.numel() for p in net.parameters())
    assert sum(step.values for step in steps) == values_of(net)
    image = torch.randn(1, 3, 32, 32)
    counted = params(net, image, image), flops(net, image, image)
    assert space.cost(arch, 10, (3, 32, 32)) == counted
    variant = space.rules.variant
    traced = trace(net, (3, 32, 32), name=arch, hooks="released")
    assert variant.kept(traced) == child_graph(arch, variant)
    for size in (16, 32, 64):
        assert fault(space.for_image_size(size), arch, size) is None, arch
    assert net(torch.randn(2, 3, 40, 20)).shape == (2, 10)


def values_of(net: nn.Module) -> int:
    """Returns how many values come out of all layers for one image."""
    met: list[int] = []
    for layer in net.modules():
        if not [*layer.children()] and not isinstance(layer, nn.Sequential):
            layer.register_forward_hook(lambda module, given, made: met.append(made[0].numel()))
    copy.deepcopy(net)(torch.randn(2, 3, 32, 32))
    return sum(met)


def sampled(space: Macro, count: int) -> list[str]:
    rng = np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(count)]
    for _ in range(count // 2):  # children, and children of children
        archs.append(space.sample_from([archs[place] for place in rng.integers(len(archs), size=3)], rng))
        archs.append(space.mutant(archs[int(rng.integers(len(archs)))], rng))
    return archs


def test_a_net_of_all_words_agrees(fault: Fault) -> None:
    body = "conv:8:7x7:s2-bn-relu6-max:3x3:s2:p1-conv:12:3x3:p0:g4-res-conv:7:3x3:d2-res-avg:2x2:s1-down:5"
    agrees(DESCRIBED, f"{body}-to:3x3-square-to:1x1-linear:9-relu-dropout:0.1-head", fault)


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_samples_children_and_mutants_are_nets(name: str, fault: Fault) -> None:
    space = Macro(variant=name, params=200_000, memory=2)
    for arch in sampled(space, 2):
        assert written(tokens_of(arch)) == arch
        assert arch in space
        agrees(space, arch, fault)


@pytest.mark.slow(faster="test_samples_children_and_mutants_are_nets")
@BOTH
def test_many_samples_children_and_mutants_are_nets(space: Macro, fault: Fault) -> None:
    for arch in sampled(space, 100):
        agrees(space, arch, fault)


@pytest.mark.slow(faster="test_samples_children_and_mutants_are_nets")
@BOTH
def test_a_thousand_samples_learn(space: Macro, fault: Fault) -> None:
    """At one of three sizes each; `perf/random_archs.py` takes all of them at each size."""
    rng = np.random.default_rng(0)
    for place in range(1000):
        size = (16, 32, 64)[place % 3]
        arch = space.sample(rng)
        assert fault(space.for_image_size(size), arch, size) is None, arch


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_memory_is_that_of_a_training(name: str) -> None:
    """Autograd keeps what the limit counts, the indices of maxima, and copies for some functions."""
    space = Macro(variant=name, memory=4, params=300_000)
    rng = np.random.default_rng(1)
    for _ in range(4):
        arch = space.sample(rng)
        net, kept = space.build(arch, 10), {}
        mine = {p.untyped_storage().data_ptr() for p in net.parameters()}

        def pack(tensor: torch.Tensor, kept: dict[int, int] = kept) -> torch.Tensor:
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            outputs = net(torch.randn(8, 3, 32, 32))
        found = sum(size for place, size in kept.items() if place not in mine)
        counted = 4 * sum(step.values for step in steps_of(tokens_of(arch), (3, 32, 32), 10))
        assert counted <= 4 * 2**20
        assert found <= 8 * (1.5 * counted + 4 * 3 * 32 * 32) + 2**16, arch
        assert outputs.shape == (8, 10)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_the_seeds_are_nets_of_torchvision(name: str) -> None:
    forms = json.loads(SEEDS.read_text())
    assert len(forms) == len(seeds()) == len(ORDER) == 33
    assert {form["name"] for form in forms} == {*ORDER}
    assert seed_graph(name) in [graph_of(form) for form in forms]


@pytest.mark.slow(faster="test_the_seeds_are_nets_of_torchvision")
def test_all_seeds_are_nets_of_torchvision() -> None:
    for form in json.loads(SEEDS.read_text()):
        assert graph_of(form) == seed_graph(form["name"]), form["name"]


@pytest.mark.slow(faster="test_samples_children_and_mutants_are_nets")
@pytest.mark.parametrize("name", ["macro", "macro:as=described,mutation=1,params=500000"])
def test_evolution_searches_it(tmp_path: Path, name: str) -> None:
    space, run = open_space(name), tmp_path / "run"
    ended = call(
        *("rea", "--space", name, "--driver", "process", "--num-samples", 4, "--population", 2),
        *("--sample", 2, "--batch-size", 4, "--proxies", "params", "--fitness", "params", "--out", run),
    )
    assert ended.code == 0, ended
    best = json.loads((run / "best.json").read_text())
    assert isinstance(space, Macro)
    assert best["arch"] in space
    assert space.label(best["arch"]) in ended.out
    resumed = call("rea", "--resume", run, "--num-samples", 6)
    assert resumed.code == 0, resumed
    assert len((run / "results.csv").read_text().splitlines()) == 7
