from __future__ import annotations

import pytest

from nas_ray.proxies import grad_norm
from tests.proxies.gradients_by_hand import reference_gradients, softmax_gradient
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, linear_net, tss


@pytest.mark.parametrize("arch", [*CONNECTED, DISCONNECTED])
def test_equals_a_slow_implementation(arch: str) -> None:
    expected = sum(float((g**2).sum()) ** 0.5 for _, g in reference_gradients(tss(arch), *batch()))
    assert grad_norm(tss(arch), *batch()) == pytest.approx(expected, rel=1e-9)


def test_closed_form_of_a_linear_classifier() -> None:
    inputs, targets = batch()
    net = linear_net(192, 5)
    expected = float(softmax_gradient(net[1].weight.detach(), inputs, targets).norm())
    assert grad_norm(net, inputs, targets) == pytest.approx(expected, rel=1e-9)
