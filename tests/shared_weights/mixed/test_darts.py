"""The trainable supernets of DARTS and of its parts equal a module for each operation of each edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from nas_ray.shared_weights.mixed import Mix, MixedNet, mixed_net, one_hot
from nas_ray.spaces.darts import Darts
from nas_ray.spaces.darts_reduced import DartsS1, DartsS2, DartsS3
from tests.shared_weights.mixed.plain_darts import PlainDarts

CHANNELS, CELLS, TOLERANCE = 4, 3, 1e-10


def pair(space: Darts, partial: int = 1) -> tuple[MixedNet, PlainDarts]:
    torch.manual_seed(3)
    net = mixed_net(space, 10, channels=CHANNELS, cells=CELLS, partial=partial).double()
    return net, PlainDarts(net, CHANNELS, CELLS, partial)


def images() -> Tensor:
    return torch.randn(4, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def leaves(net: MixedNet) -> tuple[list[Tensor], list[Tensor]]:
    """Returns weights of operations and of edges of each graph."""
    weights = [random(*graph.shape, seed=place).requires_grad_() for place, graph in enumerate(net.graphs)]
    edges = [random(graph.shape[0], seed=place).requires_grad_() for place, graph in enumerate(net.graphs)]
    return weights, edges


def masks(weights: list[Tensor], share: float) -> tuple[Tensor, ...]:
    return tuple(random(*one.shape, seed=7 + place) < share for place, one in enumerate(weights))


def chosen(weights: list[Tensor]) -> tuple[Tensor, ...]:
    return tuple(nn.functional.one_hot(one.argmax(1), one.shape[1]).bool() for one in weights)


def hard(weights: list[Tensor]) -> tuple[Tensor, ...]:
    soft = [one.softmax(1) for one in weights]
    return tuple(mask.double() - one.detach() + one for mask, one in zip(chosen(weights), soft, strict=True))


Make = Callable[[list[Tensor], list[Tensor]], Mix]
OTHERS = Darts(ops="none+skip_connect+conv_1x1+conv_3x3+conv_7x1_1x7+sep_conv_7x7+avg_pool_3x3")

MIXES: dict[str, tuple[Darts, int, Make]] = {
    "random": (Darts(), 1, lambda w, e: Mix(tuple(w))),
    "other operations": (OTHERS, 1, lambda w, e: Mix(tuple(w))),
    "two for each edge": (DartsS1(), 1, lambda w, e: Mix(tuple(w))),
    "few operations": (DartsS3(), 1, lambda w, e: Mix(tuple(w), edges=tuple(e))),
    "partial with edges": (Darts(), 2, lambda w, e: Mix(tuple(w), edges=tuple(e))),
    "auxiliary skip": (Darts(), 1, lambda w, e: Mix(tuple(w), skip=0.4)),
    "everything": (
        Darts(),
        2,
        lambda w, e: Mix(tuple(w), masks(w, 0.3), tuple(e), skip=e[0][0]),
    ),
    "some active": (Darts(), 1, lambda w, e: Mix(tuple(w), masks(w, 0.3))),
    "few active": (Darts(), 1, lambda w, e: Mix(tuple(w), masks(w, 0.03))),
    "gdas": (Darts(), 1, lambda w, e: Mix(hard(w), chosen(w), inactive_as_scalar=True)),
}


def gradients(net: nn.Module, graphs: MixedNet, make: Make) -> tuple[Tensor, list[Tensor]]:
    weights, edges = leaves(graphs)
    x = images().requires_grad_()
    outputs = net(x, make(weights, edges))
    inputs = [*weights, *edges, x, *net.parameters()]
    found = torch.autograd.grad(outputs.square().sum(), inputs, allow_unused=True)
    return outputs, [
        torch.zeros_like(one) if own is None else own for own, one in zip(found, inputs, strict=True)
    ]


def assert_close(one: Tensor, other: Tensor) -> None:
    one, other = one.detach(), other.detach()
    assert float((one - other).abs().max()) <= TOLERANCE * max(1.0, float(other.abs().max()))


@pytest.mark.parametrize("name", MIXES)
def test_outputs_and_all_gradients_equal_the_plain_form(name: str) -> None:
    space, partial, make = MIXES[name]
    net, plain = pair(space, partial)
    outputs, found = gradients(net, net, make)
    wanted_outputs, wanted = gradients(plain, net, make)
    assert_close(outputs, wanted_outputs)
    for one, other in zip(found, wanted, strict=True):
        assert_close(one, other)


def test_one_hot_mix_equals_the_net_of_the_arch() -> None:
    space = DartsS2()  # without pools, behind which a supernet alone has BN
    net, _ = pair(space)
    for seed in range(4):
        arch = space.sample(np.random.default_rng(seed))
        assert_close(net(images(), one_hot(space, arch, torch.float64)), net.extract(arch).train()(images()))


def test_sizes_are_those_of_the_space_or_given() -> None:
    net = mixed_net(Darts(), 10)
    assert net.cells == (6, 2)
    assert [tuple(graph.shape) for graph in net.graphs] == [(14, 8), (14, 8)]
    # Published: 1.93 M parameters without the reductions for auxiliary skip connections.
    own = sum(one.numel() for name, one in net.named_parameters() if "halved" not in name)
    assert own == 1_930_618
    assert mixed_net(Darts(), 10, channels=4, cells=5).cells == (3, 2)


def test_large_images_and_odd_sizes() -> None:
    net = mixed_net(Darts(stem="strided"), 10, channels=4, cells=3, partial=2).double()
    weights = tuple(random(14, 8) for _ in net.graphs)
    x = torch.randn(2, 3, 80, 80, dtype=torch.float64)  # 10 x 10 at the first cell, 5 x 5 and 3 x 3 later
    assert net(x, Mix(weights, skip=0.1)).shape == (2, 10)


def test_operations_know_their_weights() -> None:
    net, _ = pair(DartsS1())
    own = net.operation_parameters()
    graph = net.graphs[0]
    convolutions = [
        (0, edge, number)
        for edge in range(14)
        for number, op in enumerate(graph.ops)
        if op in graph.options(edge) and "conv" in op
    ]
    assert [place for place in own if place[0] == 0] == convolutions
    assert len({id(one) for several in own.values() for one in several}) == sum(map(len, own.values()))


def test_gradients_can_be_differentiated_again() -> None:
    """The gradient by weights of operations through one exact step of all parameters."""
    net, plain = pair(Darts(ops="none+skip_connect+sep_conv_5x5+dil_conv_5x5+dil_conv_3x3"))

    def exact(one: nn.Module) -> tuple[Tensor, ...]:
        weights, _ = leaves(net)
        names, own = zip(*one.named_parameters(), strict=True)
        loss = one(images(), Mix(tuple(weights))).square().mean()
        slopes = torch.autograd.grad(loss, own, create_graph=True, allow_unused=True)
        moved = {
            name: value if slope is None else value - 0.1 * slope
            for name, value, slope in zip(names, own, slopes, strict=True)
        }
        after = functional_call(one, moved, (images().flip(0), Mix(tuple(weights)))).square().mean()
        return torch.autograd.grad(after, weights)

    for mine, wanted in zip(exact(net), exact(plain), strict=True):
        assert_close(mine, wanted)
