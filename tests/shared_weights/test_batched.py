"""Every batched proxy equals the plain one on the extracted net."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nas_ray.proxies import PROXIES
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss
from tests.proxies.nets import CONNECTED, DISCONNECTED, IDENTITY, batch, built

SPACE = NatsTss(channels=4, cells=2)
RNG = np.random.default_rng(1)
ARCHS = [*CONNECTED, DISCONNECTED, IDENTITY, *(SPACE.sample(RNG) for _ in range(15))]
INPUTS = batch()
SLOW = {"grasp", "gradsign", "az_trainability", "near"}

LOOSE = {"near": 1e-7}
"""Square roots of eigenvalues that are zero but for rounding."""

ROBUST = ("flops", "l2_norm", "live_ops", "logsynflow", "num_conv", "params", "skip", "synflow")
"""Proxies in which rounding in float32 stays small; a ReLU whose input is near zero changes the others."""


def supernet(space: NatsTss = SPACE) -> Supernet:
    net = built(lambda: Supernet(space, 5))
    assert isinstance(net, Supernet)
    return net


def assert_equal(one: float, other: float, tolerance: float) -> None:
    same = one == other or (math.isnan(one) and math.isnan(other))
    assert same or math.isclose(one, other, rel_tol=tolerance), (one, other)


@pytest.mark.parametrize("name", BATCHED)
def test_equal_to_the_plain_proxy(name: str) -> None:
    net, archs = supernet(), ARCHS[: 8 if name in SLOW else None]
    # On maps of 2x2 pooling makes all pixels equal, and the sign of a gradient is that of a rounding error.
    inputs, targets = batch(6, size=16) if name == "gradsign" else INPUTS
    scores = BATCHED[name](net, archs, inputs, targets)
    assert scores.shape == (len(archs),)
    assert scores.dtype == torch.float64
    for arch, score in zip(archs, scores.tolist(), strict=True):
        plain = PROXIES[name](net.extract(arch), inputs, targets)
        assert isinstance(plain, (int, float))
        if name == "plain":  # a sum of cancelling terms, some of which are zero in theory
            assert score == pytest.approx(plain, rel=1e-6, abs=1e-12)
        else:
            assert_equal(score, plain, LOOSE.get(name, 1e-9))


@pytest.mark.parametrize("name", ROBUST)
def test_float32_is_enough(name: str) -> None:
    net = supernet().float()
    inputs, targets = INPUTS[0].float(), INPUTS[1]
    for arch, score in zip(ARCHS, BATCHED[name](net, ARCHS, inputs, targets).tolist(), strict=True):
        assert_equal(score, float(PROXIES[name](net.extract(arch), inputs, targets)), 1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["synflow", "logsynflow", "naswot", "params"])
def test_the_rest_of_the_batch_makes_no_difference(name: str) -> None:
    net = supernet()
    together = BATCHED[name](net, ARCHS, *INPUTS)
    backwards = BATCHED[name](net, ARCHS[::-1], *INPUTS).flip(0)
    alone = torch.cat([BATCHED[name](net, [arch], *INPUTS) for arch in ARCHS])
    torch.testing.assert_close(together, backwards, rtol=1e-12, atol=0)
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=0)


def test_synflow_of_a_net_that_overflows_float32() -> None:
    net = supernet(NatsTss(channels=4, cells=6)).float()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(8)
    scores = BATCHED["synflow"](net, ARCHS, INPUTS[0].float(), INPUTS[1])
    assert scores.max() > torch.finfo(torch.float32).max
    plain = [PROXIES["synflow"](net.extract(arch), *INPUTS) for arch in ARCHS]
    np.testing.assert_allclose(scores.numpy(), plain, rtol=1e-5)


def test_the_supernet_is_left_as_it_was() -> None:
    net = supernet()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for name in BATCHED:
        BATCHED[name](net, ARCHS[:2], *INPUTS)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
