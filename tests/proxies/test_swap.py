from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nas_ray.proxies import swap
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, conv_net, tss


def slow(net: nn.Module, inputs: torch.Tensor) -> int:
    """Distinct tuples of signs over the batch, one per unit."""
    patterns: set[tuple[bool, ...]] = set()

    def collect(relu: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        patterns.update(tuple(unit) for unit in (args[0] > 0).flatten(1).T.tolist())

    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(collect)
        if isinstance(module, nn.Dropout):
            module.p = 0
    net.train()
    net(inputs)
    return len(patterns)


@pytest.mark.parametrize("arch", CONNECTED)
@pytest.mark.parametrize("images", [5, 62, 63, 130])
def test_equals_a_slow_implementation(arch: str, images: int) -> None:
    inputs, targets = batch(images)
    assert swap(tss(arch), inputs, targets) == slow(tss(arch), inputs)


def test_images_beyond_the_first_word_count() -> None:
    inputs, targets = batch(70)
    inputs[:66] = inputs[0]
    assert swap(tss(), inputs, targets) == slow(tss(), inputs) <= 2**5


def test_relus_that_work_in_place_and_after_linear_layers() -> None:
    inputs, targets = batch(7)
    assert swap(conv_net(), inputs, targets) == slow(conv_net(), inputs)


def test_three_units_two_of_them_alike() -> None:
    net = nn.Sequential(nn.Linear(1, 3, bias=False), nn.ReLU(), nn.Linear(3, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0], [2.0], [-1.0]]))
    points = torch.tensor([[-1.0], [2.0]])
    assert swap(net, points, points) == 2
    thousands = (3 + 4) / 1e3
    value = swap(net, points, points, mu=0.005, sigma=8e-6)
    assert value == pytest.approx(2 * math.exp(-((thousands - 0.005) ** 2) / 8e-6))


def test_disconnected_has_one_pattern() -> None:
    assert swap(tss(DISCONNECTED), *batch()) == 1


def test_errors() -> None:
    with pytest.raises(ValueError, match="^swap: needs a batch of at least 2 images, got 1.$"):
        swap(tss(), *batch(1))
    with pytest.raises(ValueError, match="^swap: the net calls no ReLU module.$"):
        swap(nn.Flatten(), *batch())
    with pytest.raises(ValueError, match="^swap: mu and sigma go together, got mu=1.0 and sigma=None.$"):
        swap(tss(), *batch(), mu=1.0)
