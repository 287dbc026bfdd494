from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_ray.proxies import grasp
from tests.proxies.gradients_by_hand import reference_gradients, softmax_gradient
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, linear_net, tss


def slow(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, step: float = 1e-6) -> float:
    """`H g` as the central difference of the gradient along g."""
    pairs = [(w.clone(), g.clone()) for w, g in reference_gradients(net, inputs, targets)]
    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    shifted = []
    for sign in (1, -1):
        with torch.no_grad():
            for layer, (w, g) in zip(layers, pairs, strict=True):
                layer.weight.copy_(w + sign * step * g)
        shifted.append([g for _, g in reference_gradients(net, inputs, targets)])
    products = [(up - down) / (2 * step) for up, down in zip(*shifted, strict=True)]
    return -sum(float((w * hg).sum()) for (w, _), hg in zip(pairs, products, strict=True))


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_differences_of_gradients(arch: str) -> None:
    assert grasp(tss(arch), *batch()) == pytest.approx(slow(tss(arch), *batch()), rel=1e-4)


def test_linear_classifier_and_temperature() -> None:
    inputs, targets = batch()
    net = linear_net(192, 5)
    assert grasp(net, inputs, targets) == pytest.approx(slow(net, inputs, targets), rel=1e-5)

    net = linear_net(192, 5)
    weight = net[1].weight.detach().clone().requires_grad_()
    grad = softmax_gradient(weight / 4, inputs, targets) / 4
    (hessian_grad,) = torch.autograd.grad((grad * grad.detach()).sum(), weight)
    expected = -float((weight.detach() * hessian_grad).sum())
    assert grasp(net, inputs, targets, T=4.0) == pytest.approx(expected, rel=1e-9)


def test_disconnected_is_zero() -> None:
    assert grasp(tss(DISCONNECTED), *batch()) == 0
