from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nas_ray.proxies import flops
from tests.proxies.nets import HEALTHY, batch, tss


def test_multiply_adds_by_hand() -> None:
    net = nn.Sequential(
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 5),
    )
    images = torch.randn(3, 4, 8, 8)
    assert flops(net, images, images) == 6 * 4 * 4 * (2 * 9 + 1) + 5 * (6 + 1)


def test_one_image_whatever_the_batch() -> None:
    assert flops(tss(HEALTHY), *batch(1)) == flops(tss(HEALTHY), *batch(9))


def test_calls_count_and_unused_layers_do_not() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(3, 3, bias=False), nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(self.used(x))

    images = torch.randn(2, 3)
    assert flops(Twice(), images, images) == 2 * 9


def test_nothing_to_count() -> None:
    with pytest.raises(ValueError, match="^flops: the net has no convolution or linear layer to count.$"):
        flops(nn.ReLU(), *batch())
