from __future__ import annotations

import importlib

import pytest
import torch
from torch import nn

from nas_ray.proxies import gradsign
from tests.proxies.gradients_by_hand import reference_gradients
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, linear_net, tss


@pytest.mark.parametrize("arch", [*CONNECTED, DISCONNECTED])
def test_equals_a_loop_over_single_images(arch: str) -> None:
    inputs, targets = batch()
    per_image = [
        [g.sign() for _, g in reference_gradients(tss(arch), inputs[i : i + 1], targets[i : i + 1])]
        for i in range(len(inputs))
    ]
    expected = sum(float(torch.stack(layer).sum(0).abs().sum()) for layer in zip(*per_image, strict=True))
    # Gradients of weights before a BN sum to zero; where one is zero but for rounding, its sign is anyone's.
    assert gradsign(tss(arch), inputs, targets) == pytest.approx(expected, rel=2e-3)


def test_closed_form_of_a_linear_classifier() -> None:
    inputs, targets = batch(2, classes=2)
    targets = torch.zeros_like(targets)
    # With one label for all, the sign of (p - y) x is that of -x for the label and of x for the other class.
    agreement = inputs.flatten(1).sign().sum(0).abs().sum()
    assert gradsign(linear_net(192, 2), inputs, targets) == 2 * float(agreement)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    value = gradsign(tss(), *batch())
    monkeypatch.setattr(importlib.import_module("nas_ray.proxies.gradsign"), "MEMORY", 1)
    assert gradsign(tss(), *batch()) == pytest.approx(value, rel=2e-3)


def test_bn_on_a_single_position_uses_its_running_statistics() -> None:
    conv, rest = nn.Conv2d(3, 4, 8), (nn.ReLU(), nn.Flatten(), nn.Linear(4, 5))
    net = nn.Sequential(conv, nn.BatchNorm2d(4), *rest).double()
    without = nn.Sequential(conv, *rest)
    assert gradsign(net, *batch()) == gradsign(without, *batch()) > 0


def test_labels_that_do_not_fit() -> None:
    inputs, targets = batch()
    with pytest.raises(ValueError, match="^gradsign: the net has 5 outputs, but the labels reach from 9"):
        gradsign(tss(), inputs, targets + 9)
