from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import az_trainability
from nas_ray.proxies.noise import gaussian_like, generator, signs_like
from tests.proxies.nets import CONNECTED, DISCONNECTED, IDENTITY, batch, tss


def slow(arch: str, inputs: torch.Tensor) -> float:
    net, source = tss(arch).train(), generator(0)
    features = net.stem(gaussian_like(inputs, source)).detach()
    scores = []
    for block in net.body:
        features = features.requires_grad_()
        output = block(features)
        signs = signs_like(output, source)
        output.backward(signs)
        ratio = features.shape[2] // output.shape[2]
        matrix = np.zeros((features.shape[1] * ratio**2, output.shape[1]))
        count = 0
        for n in range(len(output)):
            for i in range(output.shape[2]):
                for j in range(output.shape[3]):
                    patch = features.grad[n, :, i * ratio : (i + 1) * ratio, j * ratio : (j + 1) * ratio]
                    matrix += np.outer(patch.flatten().numpy(), signs[n, :, i, j].numpy())
                    count += 1
        if signs.shape == features.shape and torch.equal(signs, features.grad):
            return -math.inf
        s = np.linalg.svd(matrix / count, compute_uv=False)[0]
        scores.append(2 - s - 1 / s)
        features = output.detach()
    return sum(scores) / len(scores)


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation(arch: str) -> None:
    inputs, targets = batch(4)
    assert az_trainability(tss(arch), inputs, targets) == pytest.approx(slow(arch, inputs), rel=1e-6)


def test_a_block_that_doubles_has_a_spectral_norm_of_two() -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)).double()
    with torch.no_grad():
        net[1].weight.copy_(2 * torch.eye(3)[:, :, None, None])
    inputs, targets = batch(50, size=32)
    assert az_trainability(net, inputs, targets) == pytest.approx(2 - 2 - 1 / 2, abs=0.02)


@pytest.mark.parametrize("arch", [IDENTITY, DISCONNECTED])
def test_blocks_that_learn_nothing(arch: str) -> None:
    assert az_trainability(tss(arch), *batch()) == -math.inf


def test_works_on_a_frozen_net() -> None:
    value = az_trainability(tss(), *batch())
    assert az_trainability(tss().requires_grad_(False), *batch()) == value


def test_blocks_beside_each_other_are_refused() -> None:
    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide, self.narrow = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1, stride=2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.narrow(x).mean((2, 3)) + self.wide(x).mean((2, 3))

    with pytest.raises(ValueError, match="az_trainability: needs blocks that follow each other"):
        az_trainability(Beside().double(), *batch())
