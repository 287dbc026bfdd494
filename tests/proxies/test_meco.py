from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import meco
from nas_ray.proxies.noise import gaussian_like, generator
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, built, tss


def smallest(maps: torch.Tensor) -> float:
    rows = maps.detach().flatten(1).numpy()
    matrix = np.zeros((len(rows), len(rows)))
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            if a.std() > 0 and b.std() > 0:
                matrix[i, j] = np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std())
    return float(np.linalg.eigvals(matrix).real.min())


def slow(net: nn.Module, inputs: torch.Tensor, repeats: int) -> float:
    values = []
    for module in net.modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda m, args, out: values.append(smallest(out[0])) if out.dim() == 4 else None
            )
    source = generator(0)
    net.train()
    for _ in range(repeats):
        net(gaussian_like(inputs[:1], source))
    return sum(values) / repeats


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation(arch: str) -> None:
    inputs, targets = batch(2)
    value = meco(tss(arch), inputs, targets, repeats=2)
    assert value == pytest.approx(slow(tss(arch), inputs, 2), rel=1e-6, abs=1e-9)


def test_orthogonal_and_repeated_channels() -> None:
    conv = built(lambda: nn.Conv2d(3, 2, 1, bias=False))
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[1.0, 0, 0], [1, 0, 0]])[:, :, None, None])
    net = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert meco(net, *batch()) == pytest.approx(0, abs=1e-9)
    one = nn.Sequential(built(lambda: nn.Conv2d(3, 1, 1)), nn.Flatten())
    assert meco(one, *batch()) == pytest.approx(1)


def test_disconnected_keeps_only_what_comes_before() -> None:
    assert 0 < meco(tss(DISCONNECTED), *batch()) < meco(tss(), *batch())


def test_single_positions_work() -> None:
    net = built(lambda: nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()))
    assert meco(net, *batch()) == pytest.approx(0, abs=1e-9)


def test_an_mlp() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 5)).double()
    with pytest.raises(ValueError, match=r"^meco: the net has no feature map \[B, C, H, W\]; an MLP cannot"):
        meco(net, *batch())
