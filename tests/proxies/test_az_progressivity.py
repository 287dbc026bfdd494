from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nas_ray.proxies import az_progressivity
from tests.proxies.nets import batch


def test_a_block_that_drops_channels_has_a_known_step() -> None:
    """White features of 3 channels, then 2 of them: log 2 - log 3; then the same again: 0."""
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, 1)).double()
    with torch.no_grad():
        for conv in net:
            conv.weight.copy_(torch.eye(*conv.weight.shape[:2])[:, :, None, None])
    inputs, targets = batch(50, size=32)
    assert az_progressivity(net, inputs, targets) == pytest.approx(math.log(2 / 3), abs=1e-3)


def test_too_few_blocks() -> None:
    with pytest.raises(ValueError, match="^az_progressivity: needs a net of at least two blocks"):
        az_progressivity(nn.Conv2d(3, 4, 1).double(), *batch())
