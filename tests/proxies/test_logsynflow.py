from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nas_ray.proxies import logsynflow
from tests.proxies.nets import CONNECTED, batch, tss


def slow(net: nn.Module) -> float:
    """Hooks instead of replaced modules, and one backward pass into `.grad`."""
    net.eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda norm, args, output: args[0])
    net(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().backward()
    total = 0.0
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.weight.grad is not None:
            pairs = zip(module.weight.flatten().tolist(), module.weight.grad.flatten().tolist(), strict=True)
            total += sum(w * math.log(1 + g) for w, g in pairs)
    return total


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation(arch: str) -> None:
    assert logsynflow(tss(arch), *batch()) == pytest.approx(slow(tss(arch)), rel=1e-9)


def test_ignores_data() -> None:
    inputs, targets = batch()
    assert logsynflow(tss(), inputs, targets) == logsynflow(tss(), inputs * 7, targets * 0)
