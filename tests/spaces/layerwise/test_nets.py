"""Nets of the layer-wise space against a plain form of each repair, and their costs."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.process.seeded import seeded
from nas_ray.proxies.flops import flops
from nas_ray.proxies.params import params
from nas_ray.spaces import Layerwise
from nas_ray.spaces.layerwise.nets import LayerwiseNet, join
from tests.spaces.conftest import Fault

SPACE = Layerwise("strides", least=1, most=8, filters="2+3", pools="max2+max3+avg2+avg3", head="1")


def plain_scores(net: nn.Module, arch: str, x: Tensor, grid: int = 1) -> Tensor:
    """Returns what `net` computes, by the text of its arch, with a canvas of zeros for each input."""
    weights = dict(net.state_dict())
    made, read = [x], set()
    for number, text in enumerate(arch.split("-"), 1):
        name, _, sources = text.partition("~")
        sources = [int(source) for source in (sources or str(number - 1)).split("+")]
        read |= set(sources)
        inputs = canvas([made[source] for source in sources])
        if found := re.fullmatch(r"(max|avg)(\d)", name):
            made.append(pooled(found[1], int(found[2]), inputs))
            continue
        sizes, _, strides = name.partition("/")
        across = [int(part) for part in (strides or "1").split("x")]
        height, width, _ = map(int, sizes.split("x"))
        key = f"layers.{number - 1}"
        out = F.conv2d(
            F.pad(inputs, (width // 2, width // 2, height // 2, height // 2)),
            weights[f"{key}.0.weight"],
            stride=(across[0], across[-1]),
        )
        mean, var = out.mean((0, 2, 3), keepdim=True), out.var((0, 2, 3), keepdim=True, correction=0)
        made.append(((out - mean) / (var + 1e-5).sqrt()).clamp(min=0))
    ends = canvas([made[n] for n in range(1, len(made)) if n not in read])
    features = F.adaptive_avg_pool2d(ends, grid).flatten(1)
    for key in [key for key in weights if key.startswith("head") and key.endswith("weight")]:
        features = F.linear(features, weights[key], weights[key.replace("weight", "bias")]).clamp(min=0)
    return F.linear(features, weights["classifier.weight"], weights["classifier.bias"])


def canvas(maps: list[Tensor]) -> Tensor:
    """Returns maps in depth, each in the middle of zeros of the largest height and the largest width."""
    height, width = (max(one.shape[axis] for one in maps) for axis in (2, 3))
    whole = torch.zeros(len(maps[0]), sum(one.shape[1] for one in maps), height, width)
    at = 0
    for one in maps:
        up, left = (height - one.shape[2]) // 2, (width - one.shape[3]) // 2
        whole[:, at : at + one.shape[1], up : up + one.shape[2], left : left + one.shape[3]] = one
        at += one.shape[1]
    return whole


def pooled(kind: str, side: int, maps: Tensor) -> Tensor:
    """Returns windows of `side` at every second pixel, where what lies outside of the maps does not count."""
    rows = []
    for top in range(0, maps.shape[2], 2):
        columns = []
        for left in range(0, maps.shape[3], 2):
            start_y, start_x = (max(0, at - (side - 1) // 2) for at in (top, left))
            end_y, end_x = (at - (side - 1) // 2 + side for at in (top, left))
            window = maps[:, :, start_y:end_y, start_x:end_x]
            columns.append(window.amax((2, 3)) if kind == "max" else window.mean((2, 3)))
        rows.append(torch.stack(columns, -1))
    return torch.stack(rows, -2)


@pytest.mark.parametrize("size", [(9, 7), (12, 12), (1, 5)])
def test_a_net_is_its_plain_form(size: tuple[int, int]) -> None:
    rng, images = (
        np.random.default_rng(0),
        torch.randn(3, 3, *size, generator=torch.Generator().manual_seed(0)),
    )
    for number in range(12):
        arch = SPACE.sample(rng)
        with seeded(number):
            net = SPACE.build(arch, 4)
        torch.testing.assert_close(
            net(images),
            plain_scores(net, arch, images),
            rtol=1e-4,
            atol=1e-4,
            msg=f"the net of {arch}",
        )


def test_heads_with_a_grid_are_their_plain_form() -> None:
    space = Layerwise("strides", least=2, most=5, filters="2+3", head="2+6+5")
    rng, images = (
        np.random.default_rng(1),
        torch.randn(3, 3, 10, 10, generator=torch.Generator().manual_seed(0)),
    )
    for number in range(5):
        arch = space.sample(rng)
        with seeded(number):
            net = space.build(arch, 4)
        assert [m.out_features for m in net.modules() if isinstance(m, nn.Linear)] == [6, 5, 4]
        torch.testing.assert_close(net(images), plain_scores(net, arch, images, 2), rtol=1e-4, atol=1e-4)


def test_what_the_paper_repairs() -> None:
    def inputs(arch: str) -> list[int]:
        net = Layerwise(least=1, pools="max2", filters="4+6").build(arch, 10)
        assert isinstance(net, LayerwiseNet)
        return [
            *(m.in_channels for m in net.modules() if isinstance(m, nn.Conv2d)),
            net.classifier.in_features,
        ]

    assert inputs("1x1x4-1x1x6-1x1x4") == [3, 4, 6, 4]
    assert inputs("1x1x4-1x1x6~0-1x1x4~0") == [3, 3, 3, 14]  # no input: the image; all loose
    assert inputs("1x1x4-1x1x6-1x1x4~1+2") == [3, 4, 10, 4]  # in depth
    assert inputs("1x1x4-max2-1x1x6~1+2") == [3, 8, 6]
    ones, small = torch.ones(1, 1, 4, 4), torch.full((1, 2, 1, 2), 2.0)
    widened = join([ones, small])
    assert torch.equal(widened[:, :1], ones)
    assert widened[0, 1].tolist() == [[0, 0, 0, 0], [0, 2, 2, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert join([ones]) is ones


def test_a_block_reads_what_it_reads_and_its_earlier_convolutions() -> None:
    space = Layerwise("pooling", least=2, most=3, filters="4", pool_at=2)
    net = space.build("3x3x4*3-max2-1x1x4*3~1+2", 10)
    inputs = [m.in_channels for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert inputs == [3, 7, 11, 8, 12, 16]
    assert net(torch.randn(2, 3, 8, 8)).shape == (2, 10)
    arch = "3x3x4*3-max2-1x1x4*3~1+2"
    images, targets = torch.zeros(1, 3, 8, 8), torch.zeros(1, dtype=torch.int64)
    assert space.cost(arch, 10, (3, 8, 8)) == (params(net, images, targets), flops(net, images, targets))


@pytest.mark.parametrize("options", [{"head": "1"}, {"head": "3+5"}, {"preset": "pooling", "filters": "2+3"}])
def test_costs_are_counted(options: dict[str, str]) -> None:
    space = Layerwise(**{"preset": "strides", "least": 1, "filters": "2+3", **options})  # type: ignore[arg-type]
    rng = np.random.default_rng(2)
    for image in ((3, 13, 6), (3, 16, 16)):
        for arch in (space.sample(rng) for _ in range(3)):
            net, images = space.build(arch, 7), torch.zeros(1, *image)
            targets = torch.zeros(1, dtype=torch.int64)
            assert space.cost(arch, 7, image) == (params(net, images, targets), flops(net, images, targets))


def test_memory_order_stays_and_copies_are_none_where_nothing_is_joined() -> None:
    seen: list[bool] = []
    net = Layerwise("strides", least=1, filters="4+6").build("3x3x4-3x3x6/2~0-1x1x4~1+2-3x3x4~1+3", 10)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(
                lambda m, given, out: seen.append(given[0].is_contiguous(memory_format=torch.channels_last))
            )
    net.to(memory_format=torch.channels_last)
    net(torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last))
    assert seen == [True] * 4


NARROW = {"plain": {}, "strides": {"pools": "max2"}, "pooling": {"pool_at": "3+5"}, "chain": {"skips": "no"}}


def narrow(name: str) -> Layerwise:
    """Returns a space with all that the paper's has but wide layers, which take long."""
    preset = {"pooling": "pooling", "strides": "strides"}.get(name, "plain")
    return Layerwise(preset, least=1, most=10, filters="2+3+4", **NARROW[name])


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("size", [1, 32])
def test_random_archs_run_forward_and_backward(name: str, size: int, fault: Fault) -> None:
    rng, space = np.random.default_rng(3), narrow(name)
    for _ in range(6):
        arch = space.sample(rng)
        assert fault(space, arch, size) is None, arch


@pytest.mark.slow(faster="test_random_archs_run_forward_and_backward")
@pytest.mark.parametrize("name", NARROW)
def test_ten_thousand_random_archs_run_forward_and_backward(name: str, fault: Fault) -> None:
    rng, space = np.random.default_rng(4), narrow(name)
    for _ in range(2_500):
        arch = space.sample(rng)
        assert fault(space, arch, 32) is None, arch
