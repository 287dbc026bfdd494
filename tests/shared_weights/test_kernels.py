"""Tangent kernels of many archs equal those of plain nets, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nas_ray.proxies.ntk import tangent_kernel
from nas_ray.shared_weights.kernels import tangent_kernels
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss
from tests.proxies.nets import DISCONNECTED, batch, built
from tests.shared_weights.test_mixture import MIXTURES

SPACE = NatsTss(channels=3, cells=2)
INPUTS = batch(5, size=8)[0]


def supernet() -> Supernet:
    net = built(lambda: Supernet(SPACE, 4))
    assert isinstance(net, Supernet)
    return net


def test_equal_to_the_plain_ones_net_by_net() -> None:
    net = supernet()
    archs = [SPACE.sample(np.random.default_rng(seed)) for seed in range(3)]
    every = [*MIXTURES, *archs, DISCONNECTED]
    kernels = tangent_kernels(net, every, INPUTS)
    assert kernels.dtype == torch.float64
    for arch, kernel in zip(every, kernels, strict=True):
        torch.testing.assert_close(kernel, tangent_kernel(net.extract(arch), INPUTS), rtol=1e-9, atol=1e-12)


def test_the_others_of_a_batch_make_no_difference() -> None:
    net = supernet()
    together = tangent_kernels(net, MIXTURES[:3], INPUTS)
    alone = torch.cat([tangent_kernels(net, [mixture], INPUTS) for mixture in MIXTURES[:3]])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-12)


def test_nothing_is_left_behind() -> None:
    net = supernet()
    tangent_kernels(net, MIXTURES[:2], INPUTS)
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not net.classifier._forward_pre_hooks
    with pytest.raises(RuntimeError):  # a map that does not fit leaves no hook either
        tangent_kernels(net, MIXTURES[:2], INPUTS[:, :1])
    assert not net.classifier._forward_pre_hooks
