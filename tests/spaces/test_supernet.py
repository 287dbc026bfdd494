from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.proxies.hooks import batch_statistics
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import to_ops
from nas_ray.spaces.plans import live_ops, plan_cell
from tests.proxies.nets import CONNECTED, DISCONNECTED, IDENTITY, built

SPACE = NatsTss(channels=4, cells=2)
RNG = np.random.default_rng(0)
ARCHS = [*CONNECTED, DISCONNECTED, IDENTITY, *(SPACE.sample(RNG) for _ in range(20))]


@pytest.fixture(scope="module")
def supernet() -> Supernet:
    net = built(lambda: Supernet(SPACE, 5))
    assert isinstance(net, Supernet)
    return net


def images(count: int, size: int = 8) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("count", "size"), [(5, 8), (1, 8), (3, 4)])
def test_a_batch_of_archs_is_every_arch_by_itself(supernet: Supernet, count: int, size: int) -> None:
    x = images(count, size)
    together = supernet(x, ARCHS)
    assert together.shape == (len(ARCHS), count, 5)
    for arch, out in zip(ARCHS, together, strict=True):
        for net in (supernet.extract(arch), supernet.view(arch)):
            with batch_statistics(net):
                torch.testing.assert_close(out, net(x), rtol=1e-9, atol=1e-12)


def test_a_single_arch_needs_no_routing(supernet: Supernet) -> None:
    x = images(4)
    torch.testing.assert_close(supernet(x, ARCHS[:1])[0], supernet(x, ARCHS)[0], rtol=1e-9, atol=1e-12)


def test_gradients_flow_through_a_batch(supernet: Supernet) -> None:
    x = images(4).requires_grad_()
    for position, arch in enumerate(ARCHS[:8]):
        (batched,) = torch.autograd.grad(supernet(x, ARCHS[:8])[position].square().sum(), x)
        view = supernet.view(arch)
        with batch_statistics(view):
            (alone,) = torch.autograd.grad(view(x).square().sum(), x, materialize_grads=True)
        torch.testing.assert_close(batched, alone, rtol=1e-8, atol=1e-12)


def test_an_extracted_net_is_a_copy(supernet: Supernet) -> None:
    before = supernet(images(2), ARCHS[:1])
    net = supernet.extract(ARCHS[0])
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1)
    torch.testing.assert_close(supernet(images(2), ARCHS[:1]), before)


def test_a_view_shares_the_weights(supernet: Supernet) -> None:
    own = set(map(id, supernet.parameters()))
    assert {id(parameter) for parameter in supernet.view(ARCHS[0]).parameters()} <= own


def test_extraction_draws_nothing_from_the_global_state(supernet: Supernet) -> None:
    state = torch.random.get_rng_state()
    supernet.extract(ARCHS[0])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_every_node_that_a_relu_sees_is_observed(supernet: Supernet) -> None:
    x = images(3)
    for arch in ARCHS:
        seen: list[tuple[Tensor, int]] = []
        view = supernet.view(arch)
        with batch_statistics(view):
            view(x, lambda node, count, seen=seen: seen.append((node, count)))
        plain: list[Tensor] = []
        net = supernet.extract(arch)
        for module in net.modules():
            if isinstance(module, torch.nn.ReLU):
                module.register_forward_hook(lambda relu, args, out, to=plain: to.append(args[0]))
        with batch_statistics(net):
            net(x)
        assert sum(count for _, count in seen) == len(plain)
        total = sum(count * node.sum() for node, count in seen)
        torch.testing.assert_close(total, torch.stack([node.sum() for node in plain]).sum())


def test_a_plan_leaves_out_what_has_no_effect() -> None:
    behind_none = to_ops("|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|")
    assert live_ops(behind_none) == ("none", "none", "none", "skip_connect", "none", "none")
    dead_end = to_ops("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|none~2|")
    assert [step.op for step in plan_cell(dead_end).steps] == ["skip_connect"]
    seen = plan_cell(dead_end, observed=True)  # node 1 is seen by the convolution into node 2
    assert [step.op for step in seen.steps] == ["nor_conv_3x3", "skip_connect"]
    assert seen.readers == (1, 1, 0, 0)


def test_the_space_has_9445_different_live_cells() -> None:
    assert len({live_ops(to_ops(arch)) for arch in NatsTss()}) == 9445  # as counted by Tybl et al., 2025


def test_an_unknown_arch(supernet: Supernet) -> None:
    with pytest.raises(UsageError, match="An arch of nats-tss reads"):
        supernet.view("conv")
    with pytest.raises(UsageError, match="An arch of nats-tss reads"):
        supernet(images(2), ["conv"])
