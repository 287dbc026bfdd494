"""Zen on the shape of a supernet: what is left out, and which archs are scored once."""

from __future__ import annotations

import math

import pytest
import torch

from nas_ray.proxies import PROXIES
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.gaussian_net import Shape, drawn_alike, zen_of_shape
from nas_ray.shared_weights.mixture import Mixture
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import EDGES, OPS
from tests.proxies.nets import batch, built

SPACE = NatsTss(channels=4, cells=2)
DEAD = "|{}~0|+|{}~0|{}~1|+|nor_conv_3x3~0|none~1|none~2|"
"""The third node is fed by the first alone: whatever leads to the others is dead."""


def supernet() -> Supernet:
    net = built(lambda: Supernet(SPACE, 5))
    assert isinstance(net, Supernet)
    return net


def test_archs_that_differ_without_effect_are_scored_once() -> None:
    net, (inputs, targets) = supernet(), batch()
    archs = [
        DEAD.format(*ops) for ops in (("none",) * 3, ("skip_connect",) * 3, ("avg_pool_3x3", "none", "none"))
    ]
    assert len({drawn_alike(arch) for arch in archs}) == 1
    plain = [PROXIES["zen"](net.extract(arch), inputs, targets) for arch in archs]
    assert plain == [plain[0]] * 3
    assert BATCHED["zen"](net, archs, inputs, targets).tolist() == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize("first", ["nor_conv_3x3", "none", "skip_connect"])
@pytest.mark.parametrize("last", ["none", "nor_conv_1x1"])
def test_dead_convolutions_count_where_their_inputs_vary(first: str, last: str) -> None:
    net, (inputs, targets) = supernet(), batch()
    arch, none = DEAD.format(first, "none", last), DEAD.format("none", "none", "none")
    assert (drawn_alike(arch) != drawn_alike(none)) == ("nor_conv" in first + last)
    score = zen_of_shape(Shape(net, arch), inputs, targets)
    assert score == pytest.approx(float(PROXIES["zen"](net.extract(arch), inputs, targets)), rel=1e-9)  # type: ignore[arg-type]


def test_the_weights_of_the_supernet_do_not_count() -> None:
    inputs, targets = batch()
    one, other = supernet(), supernet()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(3)
    arch = DEAD.format("none", "none", "none")
    scores = [zen_of_shape(Shape(net, arch), inputs, targets) for net in (one, other)]
    assert scores[0] == scores[1]
    assert math.isfinite(scores[0])


def test_weights_of_operations_count() -> None:
    rows = [[0.0] * len(OPS) for _ in EDGES]
    keys = set()
    for weight in (0.5, 2.0):
        rows[3][OPS.index("nor_conv_3x3")] = weight
        keys.add(drawn_alike(Mixture.of(rows)))
    assert len(keys) == 2
