from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_ray.proxies import snip
from tests.proxies.gradients_by_hand import reference_gradients, softmax_gradient
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, linear_net, tss


@pytest.mark.parametrize("arch", [*CONNECTED, DISCONNECTED])
def test_equals_a_slow_implementation(arch: str) -> None:
    expected = sum(float((w * g).abs().sum()) for w, g in reference_gradients(tss(arch), *batch()))
    assert snip(tss(arch), *batch()) == pytest.approx(expected, rel=1e-9)


def test_closed_form_of_a_linear_classifier() -> None:
    inputs, targets = batch()
    net = linear_net(192, 5)
    weight = net[1].weight.detach()
    expected = float((weight * softmax_gradient(weight, inputs, targets)).abs().sum())
    assert snip(net, inputs, targets) == pytest.approx(expected, rel=1e-9)


def test_frozen_weights_count_and_stay_frozen() -> None:
    net = tss()
    value = snip(net, *batch())
    net.requires_grad_(False)
    assert snip(net, *batch()) == value
    assert not any(parameter.requires_grad for parameter in net.parameters())


def test_nothing_to_score() -> None:
    with pytest.raises(ValueError, match="^snip: the net has no convolution or linear layer to score.$"):
        snip(nn.Flatten(), *batch())


def test_labels_that_do_not_fit() -> None:
    inputs, targets = batch()
    with pytest.raises(ValueError, match="^snip: the net has 5 outputs, but the labels reach from 0 to 7.$"):
        snip(tss(), inputs, torch.where(targets == 4, 7, targets))
