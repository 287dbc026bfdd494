from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import az_expressivity, az_progressivity
from nas_ray.proxies.az_expressivity import entropy
from nas_ray.proxies.noise import gaussian_like, generator
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, tss


def slow_entropies(arch: str, inputs: torch.Tensor, seed: int) -> list[float]:
    net = tss(arch).train()
    values = []
    features = net.stem(gaussian_like(inputs, generator(seed)))
    for block in (nn.Identity(), *net.body):
        features = block(features)
        rows = features.detach().permute(0, 2, 3, 1).reshape(-1, features.shape[1]).numpy()
        eigenvalues = np.linalg.eigvals(np.cov(rows.T)).real
        shares = [v / eigenvalues.sum() for v in eigenvalues if v > 1e-15]
        values.append(-sum(p * math.log(p) for p in shares))
    return values


@pytest.mark.parametrize("arch", CONNECTED)
@pytest.mark.parametrize("seed", [0, 1])
def test_equal_a_slow_implementation(arch: str, seed: int) -> None:
    inputs, targets = batch()
    values = slow_entropies(arch, inputs, seed)
    assert az_expressivity(tss(arch), inputs, targets, seed=seed) == pytest.approx(sum(values), rel=1e-6)
    steps = [values[i + 1] - values[i] for i in range(len(values) - 1)]
    assert az_progressivity(tss(arch), inputs, targets, seed=seed) == pytest.approx(min(steps), rel=1e-6)


def test_entropy_of_known_covariances() -> None:
    axes = torch.cat([torch.eye(4), -torch.eye(4)])
    assert entropy(axes) == pytest.approx(math.log(4))
    assert entropy(axes[:, :1] * torch.ones(4)) == pytest.approx(0, abs=1e-9)
    assert entropy(torch.ones(8, 4)) == -math.inf


def test_disconnected_is_minus_infinity() -> None:
    assert az_expressivity(tss(DISCONNECTED), *batch()) == -math.inf
    assert az_progressivity(tss(DISCONNECTED), *batch()) == -math.inf
