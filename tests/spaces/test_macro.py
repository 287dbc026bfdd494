"""The space `macro`: chains drawn from graphs, and the nets that they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.spaces.graphs import graph_of, seed_graph, trace
from nas_ray.spaces.graphs.properties import released
from nas_ray.spaces.macro import space as macro
from nas_ray.spaces.macro.chain import tokens_of, written
from nas_ray.spaces.macro.plan import steps_of
from nas_ray.spaces.macro.space import Macro, child_graph, seeds
from tests.guards.commands import call

SPACE = Macro()


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
        ("-".join(["relu"] * 500) + "-head", "is too long"),
        ("conv:8-head", "has 'conv:8'."),
        ("conv:08:3x3-head", "has 'conv:08:3x3'."),
        ("conv:8:3x3 -head", "has 'conv:8:3x3 '."),
        ("bn:3-head", "has 'bn:3'."),
        ("dropout:1.0-head", "has 'dropout:1.0'."),
        ("dropout:0.50-head", "has 'dropout:0.50'."),
        ("gelu-head", "has 'gelu'."),
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
        ("conv:2000:1x1-relu-relu-relu-max:31x31-head", "values in its maps, more than 4,000,000."),
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


def agrees(arch: str) -> None:
    """The graph that is computed is that of the net, the weights too, and it learns at all sizes."""
    torch.manual_seed(0)
    net = SPACE.build(arch, 10)
    steps = steps_of(tokens_of(arch), (3, 32, 32), 10)
    assert sum(step.params for step in steps) == sum(p.numel() for p in net.parameters())
    traced = released(trace(net, (3, 32, 32), name=arch, hooks="released"))
    assert traced == child_graph(arch)
    for size in (16, 32, 64):
        sized = SPACE.for_image_size(size).build(arch, 10)
        outputs = sized(torch.randn(2, 3, size, size))
        assert outputs.shape == (2, 10)
        nn.functional.cross_entropy(outputs, torch.arange(2)).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in sized.parameters())
    assert net(torch.randn(2, 3, 40, 20)).shape == (2, 10)


def sampled(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    archs = [SPACE.sample(rng) for _ in range(count)]
    for _ in range(count // 2):  # children, and children of children
        archs.append(SPACE.sample_from([archs[place] for place in rng.integers(len(archs), size=3)], rng))
    return archs


def test_samples_and_children_are_nets() -> None:
    for arch in sampled(4):
        assert written(tokens_of(arch)) == arch
        agrees(arch)


@pytest.mark.slow(faster="test_samples_and_children_are_nets")
def test_many_samples_and_children_are_nets() -> None:
    for arch in sampled(200):
        agrees(arch)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_the_seeds_are_nets_of_torchvision(name: str) -> None:
    forms = json.loads(Path(macro.SEEDS).read_text())
    assert len(forms) == len(seeds()) == 33
    assert seed_graph(name) in [graph_of(form) for form in forms]


@pytest.mark.slow(faster="test_the_seeds_are_nets_of_torchvision")
def test_all_seeds_are_nets_of_torchvision() -> None:
    for form in json.loads(Path(macro.SEEDS).read_text()):
        assert graph_of(form) == seed_graph(form["name"]), form["name"]


@pytest.mark.slow(faster="test_samples_and_children_are_nets")
def test_evolution_searches_it(tmp_path: Path) -> None:
    ended = call(
        *(
            "rea",
            "--space",
            "macro",
            "--driver",
            "process",
            "--num-samples",
            4,
            "--population",
            2,
            "--sample",
            2,
        ),
        *("--batch-size", 4, "--proxies", "params", "--fitness", "params", "--out", tmp_path / "run"),
    )
    assert ended.code == 0, ended
    best = json.loads((tmp_path / "run" / "best.json").read_text())
    assert best["arch"] in SPACE
    assert SPACE.label(best["arch"]) in ended.out
