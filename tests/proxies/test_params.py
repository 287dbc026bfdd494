from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import flops, params
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import OPS, to_arch, to_ops

SPACE = NatsTss()
PARAMS = {10: 73306, 100: 79156, 120: 80456}
FLOPS = {10: 7783050, 100: 7788900, 120: 1953400}
SIZE = {10: 32, 100: 32, 120: 16}
NONE = ("none",) * 6


def archs(classes: int) -> list[str]:
    """One arch per edge and operation, since both counts are sums over edges, and 50 at random."""
    if classes != 10:
        return [SPACE[0]]  # the classifier is all that differs
    single = [to_arch((*NONE[:edge], op, *NONE[edge + 1 :])) for edge in range(6) for op in OPS]
    rng = np.random.default_rng(0)
    return [*single, *(SPACE.sample(rng) for _ in range(50))]


@pytest.mark.parametrize("classes", PARAMS)
def test_published_formulas(classes: int) -> None:
    size = SIZE[classes]
    for arch in archs(classes):
        n1, n3 = (to_ops(arch).count(f"nor_conv_{k}x{k}") for k in (1, 3))
        net, images = SPACE.build(arch, classes), torch.zeros(1, 3, size, size)
        assert params(net, images, images) == PARAMS[classes] + 28000 * n1 + 243040 * n3, arch
        macs = FLOPS[classes] + (3932160 * n1 + 35389440 * n3) * (size / 32) ** 2
        assert flops(net, images, images) == macs, arch


def test_every_parameter_counts() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    assert params(net, torch.empty(0), torch.empty(0)) == 3 * 4 * 9 + 4 + 8 + 10
