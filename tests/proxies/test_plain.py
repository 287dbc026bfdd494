from __future__ import annotations

import pytest

from nas_ray.proxies import plain
from tests.proxies.gradients_by_hand import reference_gradients, softmax_gradient
from tests.proxies.nets import CONNECTED, batch, linear_net, tss


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation(arch: str) -> None:
    expected = sum(float((w * g).sum()) for w, g in reference_gradients(tss(arch), *batch()))
    assert plain(tss(arch), *batch()) == pytest.approx(expected, rel=1e-6)


def test_closed_form_of_a_linear_classifier() -> None:
    inputs, targets = batch()
    net = linear_net(192, 5)
    weight = net[1].weight.detach()
    expected = float((weight * softmax_gradient(weight, inputs, targets)).sum())
    assert plain(net, inputs, targets) == pytest.approx(expected, rel=1e-9)
