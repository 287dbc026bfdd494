from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from nas_ray.proxies import logsynflow, synflow
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, built, tss


def tiny_net() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 2, 3, padding=1),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 3),
    )


def by_differences(net: nn.Module, term: Callable[[float, float], float]) -> float:
    """Sums `term(weight, dR / dweight)`, each gradient from two forward passes: R is linear in one weight."""
    for index, module in enumerate(net):
        if isinstance(module, nn.BatchNorm2d):
            net[index] = nn.Identity()
    total = 0.0
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_()
        for module in net:
            for w in module.weight.flatten() if hasattr(module, "weight") else []:
                value = float(w)
                flows = []
                for changed in (value, value + 1):
                    w.fill_(changed)
                    flows.append(float(net(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum()))
                w.fill_(value)
                total += term(value, flows[1] - flows[0])
    return total


def test_product_of_a_linear_chain() -> None:
    net = nn.Sequential(nn.Flatten(), *(nn.Linear(1, 1, bias=False) for _ in range(3)))
    with torch.no_grad():
        for layer, weight in zip(net[1:], (2.0, -3.0, 0.5), strict=True):
            layer.weight.fill_(weight)
    image = torch.randn(1, 1, 1, 1)
    assert synflow(net, image, image) == pytest.approx(3 * 2 * 3 * 0.5)
    expected = 2 * math.log(1 + 1.5) + 3 * math.log(1 + 1) + 0.5 * math.log(1 + 6)
    assert logsynflow(net, image, image) == pytest.approx(expected)


def test_equal_differences_of_forward_passes() -> None:
    inputs, targets = batch(1)
    net = built(tiny_net)
    assert synflow(net, inputs, targets) == pytest.approx(
        by_differences(copy.deepcopy(net), lambda w, g: w * g), rel=1e-9
    )
    assert logsynflow(net, inputs, targets) == pytest.approx(
        by_differences(copy.deepcopy(net), lambda w, g: w * math.log(1 + g)), rel=1e-9
    )


@pytest.mark.parametrize("arch", CONNECTED)
def test_layers_share_the_flow(arch: str) -> None:
    """Without biases and summed over one layer that all paths cross, `weight * dR / dweight` is R itself."""
    inputs, targets = batch(2)
    net = tss(arch)
    nn.init.zeros_(net.classifier.bias)
    before = synflow(net, inputs, targets)
    with torch.no_grad():
        net.classifier.weight.mul_(3)
    assert synflow(net, inputs, targets) == pytest.approx(3 * before, rel=1e-9)


def test_float32_does_not_overflow() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 64), *(nn.Linear(64, 64) for _ in range(30)))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(10.0)
    value = synflow(net, torch.randn(2, 3, 8, 8), torch.zeros(2))
    assert 1e40 < value < math.inf


def test_disconnected_is_zero() -> None:
    assert synflow(tss(DISCONNECTED), *batch()) == logsynflow(tss(DISCONNECTED), *batch()) == 0


@pytest.mark.parametrize("proxy", [synflow, logsynflow])
def test_nothing_to_score(proxy: Callable[..., float]) -> None:
    with pytest.raises(ValueError, match=f"^{proxy.__name__}: the net has no convolution or linear layer"):
        proxy(nn.Sequential(nn.Flatten(), nn.ReLU()), *batch())
