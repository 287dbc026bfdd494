from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_ray.proxies import l2_norm
from tests.proxies.nets import batch, tss


def test_norms_of_known_weights() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 1))
    with torch.no_grad():
        net[0].weight.fill_(0.5)
        net[3].weight.copy_(torch.tensor([[3.0, 4.0]]))
    assert l2_norm(net, *batch()) == pytest.approx(2**0.5 + 5)


def test_layers_add_up() -> None:
    weights = [m.weight for m in tss().modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    expected = sum(sum(w**2 for w in weight.flatten().tolist()) ** 0.5 for weight in weights)
    assert l2_norm(tss(), *batch()) == pytest.approx(expected, rel=1e-9)
