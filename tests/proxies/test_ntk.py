from __future__ import annotations

import importlib
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import ntk
from tests.proxies.nets import (
    CONNECTED,
    DISCONNECTED,
    Attention,
    Tied,
    batch,
    built,
    conv_net,
    linear_net,
    tss,
)


def slow(net: nn.Module, inputs: torch.Tensor) -> float:
    """One `.backward()` per image through one batch forward, and every gradient kept."""
    net.train()
    outputs = net(inputs)
    rows = []
    for i in range(len(inputs)):
        net.zero_grad()
        outputs[i].sum().backward(retain_graph=True)
        grads = [p.grad.flatten() for n, p in net.named_parameters() if "weight" in n and p.grad is not None]
        rows.append(torch.cat(grads).clone())
    jacobian = torch.stack(rows).numpy()
    eigenvalues = np.linalg.eigvals(jacobian @ jacobian.T).real
    return -eigenvalues.max() / eigenvalues.min()


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation(arch: str) -> None:
    inputs, targets = batch(6)
    assert ntk(tss(arch), inputs, targets) == pytest.approx(slow(tss(arch), inputs), rel=1e-6)


def test_linear_layers_in_a_row_and_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.shared, self.last = nn.Linear(192, 6), nn.Linear(6, 6), nn.Linear(6, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = self.first(x.flatten(1)).relu_()
            return self.last(self.shared(self.shared(hidden)).relu_())

    inputs, targets = batch(4)
    value = ntk(built(Twice), inputs, targets)
    assert value == pytest.approx(slow(built(Twice), inputs), rel=1e-6)


@pytest.mark.parametrize(
    "build", [*(lambda way=way: Tied(way) for way in ("linear", "product", "einsum")), Attention]
)
def test_weights_that_are_used_without_their_layer(build: Callable[[], nn.Module]) -> None:
    inputs, targets = batch(4)
    assert ntk(built(build), inputs, targets) == pytest.approx(slow(built(build), inputs), rel=1e-6)


def test_layers_that_share_a_weight() -> None:
    def build() -> nn.Module:
        net = nn.Sequential(
            nn.Flatten(), nn.Linear(192, 6), nn.ReLU(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6)
        )
        net[5].weight = net[3].weight
        return net

    inputs, targets = batch(4)
    assert ntk(built(build), inputs, targets) == pytest.approx(slow(built(build), inputs), rel=1e-6)


def test_closed_form_of_a_linear_classifier() -> None:
    inputs, targets = batch(4)
    features = inputs.flatten(1)
    eigenvalues = torch.linalg.eigvalsh(features @ features.T)
    expected = -float(eigenvalues[-1] / eigenvalues[0])
    assert ntk(linear_net(192, 5), inputs, targets) == pytest.approx(expected, rel=1e-9)


def test_groups_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, targets = batch(5)
    value = ntk(conv_net(), inputs, targets)
    module = importlib.import_module("nas_ray.proxies.ntk")
    monkeypatch.setattr(module, "MEMORY", 1)
    monkeypatch.setattr(module, "COLUMNS", 3)
    assert ntk(conv_net(), inputs, targets) == pytest.approx(value, rel=1e-9)


def test_singular_kernels() -> None:
    inputs, targets = batch(4)
    assert ntk(tss(DISCONNECTED), inputs, targets) == -math.inf
    assert ntk(linear_net(192, 5), inputs[[0, 1, 1]], targets[:3]) == -math.inf


def test_errors() -> None:
    with pytest.raises(ValueError, match="^ntk: needs a batch of at least 2 images, got 1.$"):
        ntk(tss(), *batch(1))
    with pytest.raises(ValueError, match="^ntk: the net has no weights to differentiate in.$"):
        ntk(nn.Flatten(), *batch())
