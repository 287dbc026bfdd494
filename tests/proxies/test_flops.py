from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from nas_ray.proxies import flops
from tests.proxies.nets import HEALTHY, Attention, Tied, batch, built, tss


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


def test_attention_by_hand() -> None:
    tokens, width = 4, 8
    layers = tokens * width * (3 * 16 + 1) + tokens * width * (width + 1) + 5 * (width + 1)
    projections = tokens * (3 * width + width) * (width + 1)
    assert flops(built(Attention), *batch()) == layers + projections


@pytest.mark.parametrize("way", ["linear", "product", "einsum"])
def test_a_weight_that_is_used_twice(way: str) -> None:
    layers = 2 * 16 * (27 + 1) + 6 * 33 + 5 * 33
    assert flops(built(lambda: Tied(way)), *batch()) == layers + 32 * 6


def test_transposed_and_recurrent_layers_by_hand() -> None:
    net = nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2)
    images = torch.randn(2, 4, 5, 5)
    assert flops(net, images, images) == 4 * 25 * (3 * 9) + 6 * 11 * 11

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.GRU(4, 3, batch_first=True), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.rnn(x)[0][:, -1])

    steps = torch.randn(2, 7, 4)
    assert flops(Recurrent(), steps, steps) == 7 * 3 * 3 * (4 + 3 + 2) + 2 * 4


def test_vit_by_its_published_shape() -> None:
    """Twelve layers of width 768 on four patches and a class token, MLPs four times as wide."""
    with torch.device("meta"):
        net = models.vit_b_16(num_classes=10, image_size=32)
        images = torch.empty(1, 3, 32, 32)
    layer = 5 * (768 * (3 * 768 + 768 + 2 * 3072) + 3 * 768 + 768 + 3072 + 768)
    assert flops(net, images, images) == 4 * 768 * (768 + 1) + 12 * layer + 10 * 769


def test_nothing_to_count() -> None:
    with pytest.raises(ValueError, match="^flops: the net has no convolution or linear layer to count.$"):
        flops(nn.ReLU(), *batch())
