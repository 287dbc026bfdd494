from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models

from nas_ray.proxies import PROXIES, logsynflow, logsynflow_released, synflow, synflow_released
from nas_ray.proxies.synflow import synaptic_gradients
from tests.proxies.nets import CONNECTED, Attention, batch, built, tss

ACTIVATIONS = [
    *(nn.ReLU6, nn.Hardtanh, nn.Tanh, nn.Sigmoid, nn.Hardsigmoid, nn.Hardswish, nn.SiLU, nn.GELU, nn.Mish),
    *(nn.Softsign, nn.Softplus, nn.ELU),
]


def chain(activation: Callable[[], nn.Module], norm: Callable[[], nn.Module] = nn.Identity) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), norm(), activation(), nn.Conv2d(4, 4, 3), activation(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5),
    )  # fmt: skip


@pytest.mark.parametrize("proxy", [synflow, logsynflow])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_relu(proxy: Callable[..., float], activation: Callable[[], nn.Module]) -> None:
    expected = proxy(built(lambda: chain(nn.ReLU)), *batch())
    assert proxy(built(lambda: chain(activation)), *batch()) == pytest.approx(expected, rel=1e-12)


def test_activations_that_are_functions_or_work_in_place() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            x = F.relu6(self.conv(x), inplace=True) if not self.plain else F.relu(self.conv(x))
            x = x if self.plain else x.clamp(0, 6).sigmoid_()
            return self.head(x.mean((2, 3)))

        plain = False

    reference = built(Functional)
    reference.plain = True
    assert synflow(built(Functional), *batch()) == pytest.approx(synflow(reference, *batch()))


NORMS: list[Callable[[], nn.Module]] = [
    *(lambda: nn.GroupNorm(2, 4), lambda: nn.LayerNorm([4, 8, 8]), lambda: nn.RMSNorm([4, 8, 8])),
    *(lambda: nn.InstanceNorm2d(4, affine=True), lambda: nn.BatchNorm2d(4), lambda: nn.LocalResponseNorm(2)),
]


@pytest.mark.parametrize("norm", NORMS)
def test_norms_are_the_identity(norm: Callable[[], nn.Module]) -> None:
    expected = synflow(built(lambda: chain(nn.ReLU)), *batch())
    assert synflow(built(lambda: chain(nn.ReLU, norm)), *batch()) != 0
    net = built(lambda: chain(nn.ReLU))
    net[1] = norm().double()
    assert synflow(net, *batch()) == pytest.approx(expected, rel=1e-12)


class Gated(nn.Module):
    """A map that is multiplied by a gate, written as nets in the wild write it."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.conv, self.gate, self.head, self.form = (
            nn.Conv2d(3, 4, 3),
            nn.Linear(4, 4),
            nn.Linear(4, 5),
            form,
        )

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self.conv(x))
        s = self.gate(x.mean((2, 3)))
        if self.form == "none":
            gated = x
        elif self.form == "sigmoid":
            gated = torch.sigmoid(s)[..., None, None] * x
        elif self.form == "expanded":
            gated = x * s.sigmoid().view(len(x), 4, 1, 1).expand_as(x)
        elif self.form == "hard":
            gated = x * (F.relu6(s + 3) / 6)[..., None, None]
        else:
            gated = x * F.hardsigmoid(s)[..., None, None]
        return self.head(gated.mean((2, 3)))


@pytest.mark.parametrize("form", ["sigmoid", "expanded", "hard", "hardsigmoid"])
def test_gates_are_open_and_carry_the_flow_that_they_let_through(form: str) -> None:
    inputs, _ = batch()
    gated, plain = built(lambda: Gated(form)), built(lambda: Gated("none"))
    for net in (gated, plain):
        for layer in (net.conv, net.gate, net.head):
            nn.init.zeros_(layer.bias)
    flows = [float((w * g).sum()) for w, g in synaptic_gradients("synflow", gated, inputs)]
    conv, gate, head = (float((w * g).sum()) for w, g in synaptic_gradients("synflow", plain, inputs))
    assert gate == 0
    assert flows[2] == pytest.approx(head)
    if form == "hard":  # of what comes from s + 3, the part of s
        assert 0 < flows[1] < head
    else:
        assert flows[1] == pytest.approx(head)
    assert flows[0] == pytest.approx(conv + flows[1])


def test_attention_passes_the_mean_of_the_values() -> None:
    """With q and k constant the net is an average; the flow through scores is that through the values."""
    inputs, _ = batch(2)
    net = built(Attention)
    flows = synaptic_gradients("synflow", net, inputs)
    assert all(torch.isfinite(grad).all() and (grad >= 0).all() and grad.any() for _, grad in flows)
    twin = built(lambda: Attention(modules=True))
    for (_, grad), (_, expected) in zip(flows, synaptic_gradients("synflow", twin, inputs), strict=True):
        torch.testing.assert_close(grad, expected)


@pytest.mark.parametrize("arch", CONNECTED)
def test_nets_of_bn_and_relu_score_the_same_in_both_forms(arch: str) -> None:
    assert synflow(tss(arch), *batch()) == synflow_released(tss(arch), *batch())
    assert synflow(tss(arch), *batch()) == synflow(tss(arch), *batch(), linear=False)
    assert logsynflow(tss(arch), *batch()) == logsynflow_released(tss(arch), *batch())
    assert logsynflow(tss(arch), *batch()) == logsynflow(tss(arch), *batch(), linear=False)


def released(net: nn.Module, inputs: Tensor) -> float:
    """SynFlow as released: absolute weights, BN of one to one, and everything else as it is."""
    net = copy.deepcopy(net).double().eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.forward = lambda x: x  # type: ignore[method-assign]
    for parameter in net.parameters():
        parameter.data.abs_()
    net(torch.ones_like(inputs[:1]).double()).sum().backward()
    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    return sum(float((layer.weight * layer.weight.grad).detach().sum()) for layer in layers)


@pytest.mark.parametrize("activation", [nn.ReLU6, nn.Sigmoid])
def test_the_released_form_keeps_activations_and_other_norms(activation: Callable[[], nn.Module]) -> None:
    for norm in (lambda: nn.BatchNorm2d(4), lambda: nn.GroupNorm(2, 4)):
        net = built(lambda norm=norm: chain(activation, norm))
        inputs, targets = batch()
        assert synflow_released(net, inputs, targets) == pytest.approx(released(net, inputs), rel=1e-9)
        assert synflow_released(net, inputs, targets) != pytest.approx(synflow(net, inputs, targets), rel=0.1)


def test_the_width_of_a_mobilenet_shows_and_every_layer_counts() -> None:
    inputs = torch.ones(1, 3, 32, 32)
    scores = []
    for width in (0.35, 1.0):
        net = built(lambda width=width: models.mobilenet_v2(num_classes=10, width_mult=width))
        flows = synaptic_gradients("synflow", net, inputs)
        assert len(flows) == 53
        assert all(float((w * g).sum()) > 0 for w, g in flows)
        scores.append(sum(float((w * g).sum()) for w, g in flows))
    assert scores[1] > 1e3 * scores[0] > 1e20
    assert PROXIES["synflow_released"](net, inputs, inputs) < 1e4


def test_a_gradient_without_a_logarithm() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.LayerNorm(8), nn.Linear(8, 5)).double()
    with torch.no_grad():
        net[1].weight.mul_(1e-3)
        net[1].bias.zero_()
        net[3].weight.mul_(1e3)
    inputs, targets = batch()
    assert math.isfinite(logsynflow(net, inputs, targets))
    with pytest.raises(ValueError, match="^logsynflow_released: a gradient below -1"):
        logsynflow_released(net, inputs, targets)
