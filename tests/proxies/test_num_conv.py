from __future__ import annotations

from torch import nn

from nas_ray.proxies import num_conv
from nas_ray.spaces import NatsTss
from tests.proxies.nets import DISCONNECTED, HEALTHY, batch


def test_counts_on_nats_tss() -> None:
    # One in the stem, three in each of two reductions, and in each of the cells those of the arch.
    assert num_conv(NatsTss().build(DISCONNECTED, 10), *batch()) == 7
    assert num_conv(NatsTss().build(HEALTHY, 10), *batch()) == 7 + 15 * 4


def test_an_mlp_has_none() -> None:
    assert num_conv(nn.Linear(3, 3), *batch()) == 0
