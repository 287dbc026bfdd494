from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_ray.proxies import linear_regions
from nas_ray.spaces import NatsTss
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, built, tss


def slow(net: nn.Module, inputs: torch.Tensor) -> int:
    """Distinct tuples of all signs."""
    patterns: list[list[bool]] = [[] for _ in inputs]

    def extend(relu: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        for pattern, unit in zip(patterns, args[0], strict=True):
            pattern.extend((unit > 0).flatten().tolist())

    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(extend)
    net.train()
    net(inputs)
    return len({tuple(pattern) for pattern in patterns})


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation_on_thin_nets(arch: str) -> None:
    def thin() -> nn.Module:
        return built(lambda: NatsTss(channels=1, cells=1).build(arch, 5))

    inputs, targets = batch(60, size=4)
    inputs[40:] = inputs[:20]
    value = linear_regions(thin(), inputs, targets)
    assert value == slow(thin(), inputs)
    assert 1 < value <= 40


def test_halves_of_a_line() -> None:
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        net[0].weight.fill_(1)
        net[0].bias.copy_(torch.tensor([0.0, -1.0]))
    points = torch.tensor([[-2.0], [-1.0], [0.5], [0.25], [3.0]])
    assert linear_regions(net, points, points) == 3


def test_disconnected_is_one_region() -> None:
    assert linear_regions(tss(DISCONNECTED), *batch()) == 1


def test_errors() -> None:
    with pytest.raises(ValueError, match="^linear_regions: needs a batch of at least 2 images, got 1.$"):
        linear_regions(tss(), *batch(1))
    with pytest.raises(ValueError, match="^linear_regions: the net calls no ReLU module.$"):
        linear_regions(nn.Flatten(), *batch())
