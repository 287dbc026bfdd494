from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torchvision import models

from nas_ray.proxies import zen
from nas_ray.proxies.noise import gaussian_like, generator
from nas_ray.proxies.zen import last_map
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, built, tss


def tiny_net() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 5),
    )


def by_hand(inputs: torch.Tensor, alpha: float, seed: int) -> float:
    """The score of `tiny_net`, layer by layer, with BN written out."""
    source = generator(seed)
    first = gaussian_like(torch.empty(4, 3, 3, 3, dtype=torch.float64), source)
    second = gaussian_like(torch.empty(6, 4, 3, 3, dtype=torch.float64), source)
    gaussian_like(torch.empty(5, 6), source)
    x, e = gaussian_like(inputs, source), gaussian_like(inputs, source)

    def features(images: torch.Tensor) -> tuple[torch.Tensor, float]:
        log_scales = 0.0
        for weight, stride in ((first, 1), (second, 2)):
            maps = nn.functional.conv2d(images, weight, stride=stride, padding=1)
            mean = maps.mean((0, 2, 3), keepdim=True)
            variance = ((maps - mean) ** 2).mean((0, 2, 3), keepdim=True)
            log_scales += math.log(math.sqrt(float(variance.mean())))
            images = ((maps - mean) / (variance + 1e-5).sqrt()).clamp(min=0)
        return images, log_scales

    (plain, log_scales), (moved, _) = features(x), features(x + alpha * e)
    changes = [float((a - b).abs().sum()) for a, b in zip(plain, moved, strict=True)]
    return math.log(sum(changes) / len(changes)) + log_scales


@pytest.mark.parametrize(("alpha", "seed"), [(0.01, 0), (0.5, 3)])
def test_equals_a_calculation_layer_by_layer(alpha: float, seed: int) -> None:
    inputs, targets = batch()
    value = zen(built(tiny_net), inputs, targets, alpha=alpha, seed=seed)
    assert value == pytest.approx(by_hand(inputs, alpha, seed), rel=1e-9)


def test_repeats_are_averaged() -> None:
    inputs, targets = batch()
    net = built(tiny_net)
    assert zen(net, inputs, targets, repeats=3) != zen(net, inputs, targets)
    assert zen(net, inputs, targets, repeats=3) == pytest.approx(zen(net, inputs, targets), abs=2)


@pytest.mark.parametrize("arch", CONNECTED)
def test_does_not_depend_on_the_weights_or_the_images(arch: str) -> None:
    inputs, targets = batch()
    other = built(lambda: tss(arch), seed=1)
    nn.init.ones_(other.classifier.weight)
    assert zen(other, inputs * 3, targets) == zen(tss(arch), inputs, targets)


def test_disconnected_does_not_react() -> None:
    assert zen(tss(DISCONNECTED), *batch()) == -math.inf


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (lambda: models.resnet18(), (512, 2, 2)),
        (lambda: models.mobilenet_v2(width_mult=0.35), (1280, 2, 2)),
        (lambda: tss().float(), (16, 16, 16)),
        (lambda: nn.Sequential(nn.Conv2d(3, 2, 1), nn.AvgPool2d(64), nn.Flatten()), (2, 64, 64)),
        (lambda: nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1))), (2, 64, 64)),
    ],
)
def test_the_last_map_is_what_is_pooled(net: object, shape: tuple[int, ...]) -> None:
    with torch.no_grad():
        assert last_map(net().eval(), torch.randn(1, 3, 64, 64)).shape == (1, *shape)  # type: ignore[operator]


def test_what_is_missing() -> None:
    inputs, targets = batch()
    with pytest.raises(ValueError, match=r"^zen: the net has no BN, whose scales the score needs\.$"):
        zen(nn.Conv2d(3, 4, 3).double(), inputs, targets)
    mlp = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.BatchNorm1d(4)).double()
    with pytest.raises(ValueError, match="^zen: the net has no BN"):
        zen(mlp, inputs, targets)


class Followed(nn.Module):
    """Pools its map by a function, after it worked on the map in place if `worked` is true."""

    def __init__(self, worked: bool) -> None:
        super().__init__()
        self.conv, self.norm, self.worked = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), worked

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(x))
        return (x.relu_() if self.worked else x.relu()).mean((2, 3))


def test_what_follows_may_work_in_place() -> None:
    scores = [zen(built(lambda w=w: Followed(w)), *batch()) for w in (True, False)]  # type: ignore[misc]
    assert scores[0] == scores[1]


class Untracked(nn.BatchNorm2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


@pytest.mark.parametrize("norm", [Untracked, lambda n: nn.BatchNorm2d(n, momentum=None, affine=False)])
def test_of_any_batch_norm(norm: object) -> None:
    def net() -> nn.Module:
        layers = list(tiny_net())  # type: ignore[call-overload]
        layers[1], layers[4] = norm(4), norm(6)  # type: ignore[operator]
        return nn.Sequential(*layers)

    inputs, targets = batch()
    value = zen(built(net), inputs, targets)
    assert value == pytest.approx(by_hand(inputs, 0.01, 0), rel=1e-9)
