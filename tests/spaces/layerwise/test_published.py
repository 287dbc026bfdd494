"""Nets of papers as layer-wise archs: of the layers of plain forms of them, and of published sizes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from nas_ray.errors import UsageError
from nas_ray.process.seeded import seeded
from nas_ray.proxies.flops import flops
from nas_ray.proxies.params import params
from nas_ray.spaces import Layerwise, LayerwiseNets
from nas_ray.spaces.classic_nets import LeNet5
from nas_ray.spaces.layerwise.head import Head
from nas_ray.spaces.layerwise.layers import read_layers
from nas_ray.spaces.layerwise.nets import LayerwiseNet
from nas_ray.spaces.layerwise.published import PUBLISHED, residual_like

LARGE = LayerwiseNets().for_image_size(224)
WEIGHTED = (nn.Conv2d, nn.Linear)


class ResNet20WithoutSums(nn.Module):
    """The layers of ResNet-20, where what is added there is concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = self.conv(3, 16)
        self.blocks = nn.ModuleList()
        for stage, width in enumerate((16, 32, 64)):
            for block in range(3):
                first = (16, 16 * 4, 32 * 3)[stage]
                before = width * (block + (stage == 0)) if block else first
                self.blocks.append(nn.Sequential(self.conv(before, width), self.conv(width, width)))
        self.classifier = nn.Linear(64, 10)

    @staticmethod
    def conv(before: int, after: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(before, after, 3, bias=False), nn.BatchNorm2d(after))


def nas_rl_v1() -> nn.Module:
    """The net of version 1 by its filters (height, width, number) and the layers that each reads."""
    net, channels = nn.Sequential(), {0: 3}
    filters = [(3, 3, 36), (3, 3, 48), (3, 3, 36), (5, 5, 36), (3, 7, 48), (7, 7, 48), (7, 7, 48), (7, 3, 36)]
    filters += [(7, 1, 36), (7, 7, 36), (5, 7, 36), (7, 7, 48), (7, 5, 48), (7, 5, 48), (7, 5, 48)]
    read = [[0], [1], [1, 2], [1, 2, 3], [3, 4], [2, 3, 4, 5], [2, 3, 4, 5, 6], [1, 6, 7], [1, 5, 6, 8]]
    read += [[1, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5, 6, 7, 8, 9, 10], [1, 2, 3, 4, 6, 11]]
    read += [[1, 3, 6, 7, 8, 9, 10, 11, 12], [3, 7, 12, 13], [6, 7, 11, 12, 13, 14]]
    for number, ((height, width, count), sources) in enumerate(zip(filters, read, strict=True), 1):
        inputs = sum(channels[source] for source in sources)
        net.append(nn.Conv2d(inputs, count, (height, width), bias=False)).append(nn.BatchNorm2d(count))
        channels[number] = count
    return net.append(nn.Linear(48, 10))


# Plain forms, classes, and parameters: of the paper's net and of ours, which has BN and no bias for each
# convolution. LeNet-5 has "60,000" (LeCun et al. 1998) for one channel and sparse connections in C3; AlexNet
# "60 million" (Krizhevsky et al. 2012), VGG-16 "138 million", the net of NAS-RL "4.2 million".
NETS: dict[str, tuple[Callable[[], nn.Module], int, int, int]] = {
    "lenet-5": (lambda: LeNet5(10), 10, 62_006, 62_148),
    "alexnet": (models.alexnet, 1000, 61_100_840, 61_101_992),
    "vgg-16": (models.vgg16, 1000, 138_357_544, 138_361_768),
    "resnet-20-like": (ResNet20WithoutSums, 10, 373_402, 373_402),
    "nas-rl-v1": (nas_rl_v1, 10, 4_201_630, 4_201_630),
}


@pytest.mark.parametrize("name", NETS)
def test_a_net_has_the_layers_of_its_plain_form(name: str) -> None:
    plain_form, classes, published, ours = NETS[name]
    with torch.device("meta"):
        plain, net = plain_form(), LARGE.build(name, classes)
        shapes = [
            Counter(tuple(m.weight.shape) for m in one.modules() if isinstance(m, WEIGHTED))
            for one in (plain, net)
        ]
        images, targets = torch.zeros(1, 3, 64, 64), torch.zeros(1, dtype=torch.int64)
        assert LARGE.cost(name, classes, (3, 64, 64))[0] == params(net, images, targets) == ours
    assert shapes[0] == shapes[1]
    assert sum(p.numel() for p in plain.parameters()) == published
    biases = sum(m.out_channels for m in plain.modules() if isinstance(m, nn.Conv2d) and m.bias is not None)
    assert ours == published + biases


def test_every_name_has_a_plain_form_and_is_an_arch_of_the_space() -> None:
    assert set(NETS) == set(PUBLISHED) == set(LayerwiseNets())
    spaces = {
        "lenet-5": Layerwise(least=1, heights=5, widths=5, filters="6+16+120", pools="max2", head="1+84"),
        "alexnet": Layerwise(
            least=1,
            heights="3+5+11",
            widths="3+5+11",
            strides="1+4",
            filters="64+192+256+384",
            pools="max3",
            head="6+4096+4096",
        ),
        "vgg-16": Layerwise(
            most=18,
            heights=3,
            widths=3,
            filters="64+128+256+512",
            pools="max2",
            skips="no",
            head="7+4096+4096",
        ),
        "resnet-20-like": Layerwise("strides", most=19, filters="16+32+64"),
        "nas-rl-v1": Layerwise(),
    }
    for name, space in spaces.items():
        assert PUBLISHED[name].arch in space
        assert space.head == Head.read(PUBLISHED[name].head)
        assert space.assemble(space.decisions(PUBLISHED[name].arch)) == PUBLISHED[name].arch


@pytest.mark.slow(faster="test_a_net_has_the_layers_of_its_plain_form")
def test_vgg_computes_what_torchvision_computes() -> None:
    with seeded(0):
        theirs, net = (
            models.vgg16_bn(init_weights=False).features.eval(),
            LayerwiseNet(read_layers(PUBLISHED["vgg-16"].arch), 10, Head()),
        )
    convolutions = [[m for m in one.modules() if isinstance(m, nn.Conv2d)] for one in (theirs, net)]
    for their, our in zip(*convolutions, strict=True):
        our.load_state_dict({"weight": their.weight})
        nn.init.zeros_(their.bias)
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    features: Tensor = theirs(images).mean((2, 3))
    torch.testing.assert_close(net.eval()(images), net.classifier(features))


def test_costs_are_counted() -> None:
    images, targets = torch.zeros(1, 3, 32, 32), torch.zeros(1, dtype=torch.int64)
    for name in ("lenet-5", "resnet-20-like", "nas-rl-v1"):
        net = LayerwiseNets().build(name, 10)
        assert LayerwiseNets().cost(name, 10, (3, 32, 32)) == (
            params(net, images, targets),
            flops(net, images, targets),
        )


def test_sizes_of_maps_in_large_images() -> None:
    with torch.device("meta"):
        for name in ("alexnet", "vgg-16"):
            assert LARGE.build(name, 1000)(torch.zeros(2, 3, 224, 224)).shape == (2, 1000)


def test_small_images_have_one_linear_layer_behind_large_nets() -> None:
    # those of hand-designed, but for BN and biases: AlexNet 2,469,696 + 2,570, VGG-16 with BN 14,728,266
    for name, size in {"alexnet": 2_473_418, "vgg-16": 14_724_042}.items():
        assert LayerwiseNets().cost(name, 10, (3, 32, 32))[0] == size
        with torch.device("meta"):
            assert LayerwiseNets().build(name, 10)(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_what_is_like_a_residual_net() -> None:
    layers = read_layers(residual_like(20))
    assert len(layers) == 19
    assert [layer.strides for layer in layers].count((2, 2)) == 2
    # the first block reads the stem; the second what the stem and the first block gave, and so on
    assert [layers[number - 1].sources for number in (2, 3, 4, 6, 8, 10, 12)] == [
        *((1,), (2,), (1, 3), (1, 3, 5), (1, 3, 5, 7), (9,), (9, 11)),
    ]


def test_an_unknown_name_is_refused() -> None:
    said = "Unknown layer-wise net of a paper 'vgg16'. Did you mean 'vgg-16'?"
    with pytest.raises(UsageError, match=re.escape(said)):
        LayerwiseNets().build("vgg16", 10)
    assert LayerwiseNets().label("nas-rl-v1") == "nas-rl-v1, 15 layers of 36-48 filters, 51 skip connections"
