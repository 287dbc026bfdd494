from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from nas_ray.proxies.blocks import block_features
from nas_ray.spaces import NatsTss
from tests.proxies.nets import HEALTHY, conv_net


def shapes(net: nn.Module, size: int = 32) -> list[tuple[int, ...]]:
    with torch.no_grad():
        return [tuple(f.shape[1:]) for f in block_features("test", net, torch.randn(2, 3, size, size))]


def test_stem_cells_and_reductions_of_nats_tss() -> None:
    net = NatsTss(channels=2, cells=2).build(HEALTHY, 5)
    assert shapes(net, 8) == [(2, 8, 8)] * 3 + [(4, 4, 4)] * 3 + [(8, 2, 2)] * 3


def test_torchvision_nets() -> None:
    resnet = shapes(models.resnet18(), 64)
    assert resnet == [(64, 16, 16)] * 3 + [(128, 8, 8)] * 2 + [(256, 4, 4)] * 2 + [(512, 2, 2)] * 2
    assert len(shapes(models.mobilenet_v2(width_mult=0.35))) == 19


def test_vgg_is_its_convolutions() -> None:
    assert [c for c, *_ in shapes(models.vgg11_bn())] == [64, 128, 256, 256, 512, 512, 512, 512]


def test_an_mlp_without_its_classifier() -> None:
    hidden = (nn.Linear(192, 6), nn.ReLU(), nn.Linear(6, 4), nn.ReLU())
    net = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(4, 5))
    assert shapes(net, 8) == [(6,), (4,)]


def test_features_are_those_before_anything_works_in_place() -> None:
    class PreActivation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu, self.conv = nn.ReLU(inplace=True), nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(self.relu(x))

    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), PreActivation(), PreActivation())
    images = torch.randn(4, 3, 8, 8)
    with torch.no_grad():
        features = block_features("test", net, images)
    assert len(features) == 3
    assert (features[0] < 0).any()
    torch.testing.assert_close(features[1], net[2].conv(features[0].relu()))


def test_a_net_wrapped_in_a_module_is_opened() -> None:
    class Wrapper(nn.Module):
        def __init__(self, net: nn.Module) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x)

    class Backbone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = Wrapper(conv_net().float())

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x)

    assert shapes(Backbone(), 8) == [(4, 8, 8), (6, 4, 4)]


def test_too_few_blocks() -> None:
    with pytest.raises(ValueError, match="^test: needs a net of at least two blocks"):
        shapes(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(256, 5)), 8)
