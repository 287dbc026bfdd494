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


def test_fewer_positions_than_channels_say_nothing() -> None:
    net = built(lambda: nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()))
    with pytest.raises(ValueError, match="^meco: needs a feature map with more positions than channels, but"):
        meco(net, *batch())


def test_rounding_gives_no_negative_score() -> None:
    """Repeated channels: an eigenvalue is 0, which solvers return as a small number of either sign."""
    net = built(lambda: nn.Conv2d(3, 12, 1, bias=False))
    with torch.no_grad():
        net.weight.copy_(net.weight[:1].expand(12, -1, -1, -1))
    assert 0 <= meco(net, *batch()) < 1e-9


def test_channels_that_are_the_last_axis() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mix, self.act = nn.Linear(3, 4), nn.GELU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.act(self.mix(x.permute(0, 2, 3, 1)))

    image = gaussian_like(batch(1)[0], generator(0))
    before = nn.functional.conv2d(image, built(Last).mix.weight[..., None, None], built(Last).mix.bias)
    expected = smallest(before[0]) + smallest(nn.functional.gelu(before)[0])
    assert meco(built(Last), *batch(), repeats=1) == pytest.approx(expected)


def test_an_mlp() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 5)).double()
    with pytest.raises(ValueError, match=r"^meco: the net has no feature map \[B, C, H, W\]; an MLP cannot"):
        meco(net, *batch())
