"""The trainable supernet of NATS-TSS equals a module for each operation of each edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from nas_ray.errors import UsageError
from nas_ray.shared_weights.mixed import Mix, MixedNet, mixed_net, one_hot
from nas_ray.spaces import HandDesigned, NatsTss
from nas_ray.spaces.darts import Darts
from nas_ray.spaces.edges import EdgeSpace
from tests.shared_weights.mixed.plain import Plain
from tests.shared_weights.test_other_device import Moves

SPACE = NatsTss()
CHANNELS, CELLS = 8, 1
TOLERANCE = 1e-10


def pair(partial: int = 1) -> tuple[MixedNet, Plain]:
    torch.manual_seed(3)
    net = mixed_net(SPACE, 10, channels=CHANNELS, cells=CELLS, partial=partial).double()
    return net, Plain(net, CHANNELS, CELLS, partial)


def images() -> Tensor:
    return torch.randn(5, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def random_weights(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def random_mask(share: float, seed: int) -> Tensor:
    return random_weights(6, 5, seed=seed) < share


def hard_draw(seed: int) -> tuple[Tensor, Tensor]:
    """Returns logits and which operation of each edge is chosen, as GDAS draws it."""
    logits = random_weights(6, 5, seed=seed)
    return logits, torch.nn.functional.one_hot(logits.argmax(1), 5).bool()


def gdas(leaf: Tensor, mask: Tensor) -> Mix:
    soft = leaf.softmax(1)
    hard = mask.to(soft.dtype) - soft.detach() + soft
    return Mix((hard,), (mask,), inactive_as_scalar=True)


Make = Callable[[Tensor, Tensor], Mix]

MIXES: dict[str, tuple[int, Make]] = {
    "random": (1, lambda w, e: Mix((w.softmax(1),))),
    "cell by cell": (1, lambda w, e: Mix((torch.stack([w, w.sin(), w**2]),))),
    "edges": (1, lambda w, e: Mix((w,), edges=(e,))),
    "auxiliary skip": (1, lambda w, e: Mix((w,), skip=0.3)),
    "learned auxiliary skip": (1, lambda w, e: Mix((w,), edges=(e,), skip=e.sum())),
    "partial": (4, lambda w, e: Mix((w,))),
    "partial with edges": (2, lambda w, e: Mix((w,), edges=(e.softmax(0),))),
    "partial with everything": (4, lambda w, e: Mix((w,), (random_mask(0.4, 5),), (e,), skip=e[0])),
    "some active": (1, lambda w, e: Mix((w,), (random_mask(0.4, 2),))),
    "few active": (1, lambda w, e: Mix((w,), (random_mask(0.15, 7),), (e,), skip=0.2)),
    "none active but one": (1, lambda w, e: Mix((w,), (random_mask(0.04, 1),))),
    "nothing active": (1, lambda w, e: Mix((w,), (random_mask(0.0, 1),), skip=0.1)),
    "gdas": (1, lambda w, e: gdas(w, hard_draw(0)[1])),
    "gdas with edges": (1, lambda w, e: Mix((w,), (hard_draw(4)[1],), (e,), inactive_as_scalar=True)),
    "partial gdas": (2, lambda w, e: Mix((w - w.detach(),), (hard_draw(4)[1],), inactive_as_scalar=True)),
    "scalars alone": (1, lambda w, e: Mix((w,), (random_mask(0.0, 1),), inactive_as_scalar=True)),
}


def gradients(net: nn.Module, make: Make) -> tuple[Tensor, list[Tensor]]:
    """Returns outputs, and gradients in weights of operations, of edges, in images, and in all parameters."""
    leaves = [random_weights(6, 5).requires_grad_(), random_weights(6, seed=9).requires_grad_()]
    x = images().requires_grad_()
    outputs = net(x, make(*leaves))
    inputs = [*leaves, x, *net.parameters()]
    found = torch.autograd.grad(outputs.square().sum(), inputs, allow_unused=True)
    filled = [torch.zeros_like(one) if own is None else own for own, one in zip(found, inputs, strict=True)]
    return outputs, filled


def assert_close(one: Tensor, other: Tensor) -> None:
    one, other = one.detach(), other.detach()
    assert float((one - other).abs().max()) <= TOLERANCE * max(1.0, float(other.abs().max()))


@pytest.mark.parametrize("name", MIXES)
def test_outputs_and_all_gradients_equal_the_plain_form(name: str) -> None:
    partial, make = MIXES[name]
    net, plain = pair(partial)
    (outputs, found), (wanted_outputs, wanted) = gradients(net, make), gradients(plain, make)
    assert_close(outputs, wanted_outputs)
    for one, other in zip(found, wanted, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("name", ["random", "partial with everything", "gdas"])
def test_gradients_can_be_differentiated_again(name: str) -> None:
    """The gradient by weights of operations through one exact step of all parameters."""
    partial, make = MIXES[name]

    def exact(net: nn.Module) -> list[Tensor]:
        leaves = [random_weights(6, 5).requires_grad_(), random_weights(6, seed=9).requires_grad_()]
        names, own = zip(*net.named_parameters(), strict=True)
        loss = net(images(), make(*leaves)).square().mean()
        slopes = torch.autograd.grad(loss, own, create_graph=True, allow_unused=True)
        moved = {
            name: one if slope is None else one - 0.1 * slope
            for name, one, slope in zip(names, own, slopes, strict=True)
        }
        after = functional_call(net, moved, (images().flip(0), make(*leaves))).square().mean()
        found = torch.autograd.grad(after, leaves, allow_unused=True)
        return [torch.zeros_like(one) if own is None else own for own, one in zip(found, leaves, strict=True)]

    for one, other in zip(*map(exact, pair(partial)), strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("seed", range(6))
def test_one_hot_mix_equals_the_net_of_the_arch(seed: int) -> None:
    net, plain = pair()
    arch = SPACE.sample(np.random.default_rng(seed))
    extracted = net.extract(arch)
    mix = one_hot(SPACE, arch, torch.float64)
    wanted = extracted.train()(images())
    assert_close(net(images(), mix), wanted)
    assert_close(
        net(images(), Mix(mix.weights)), wanted
    )  # zeros without a gradient are left out by themselves
    assert_close(plain(images(), mix), wanted)


def test_what_does_not_count_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    net, _ = pair()
    calls: list[int] = []
    real = torch.nn.functional.conv2d

    def counted(x: Tensor, weight: Tensor, *rest: object, **named: object) -> Tensor:
        calls.append(len(weight))
        return real(x, weight, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("torch.nn.functional.conv2d", counted)
    arch = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    cell, maps = net.body[0], torch.ones(2, CHANNELS, 4, 4, dtype=torch.float64)
    cell(maps, next(net.coefficients(one_hot(SPACE, arch, torch.float64))[0]))
    assert not calls  # neither convolution leads from the input to the output
    cell(maps, next(net.coefficients(Mix((random_weights(6, 5),)))[0]))
    assert calls == [24, 24, 8, 16, 16, 8, 8, 8, 8]  # of each node: both kernels for all edges, and a pool


def test_dropout_behind_skip_connections_is_only_there_in_training() -> None:
    net, _ = pair()
    weights = torch.zeros(6, 5, dtype=torch.float64)
    weights[:, 1] = 1.0
    net.eval()
    mix = Mix((weights,), drop_skip=0.5)
    assert torch.equal(net(images(), mix), net(images(), Mix((weights,))))
    cell = net.body[0].train()
    ones = torch.ones(2, CHANNELS, 4, 4, dtype=torch.float64)
    values = cell(ones, next(net.coefficients(mix)[0]))
    seen = set((values / 2).flatten().tolist())  # paths of one, two, two and three edges, each 2 or 0
    assert seen <= {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0}
    assert len(seen) > 3


def test_operations_know_their_weights() -> None:
    net, _ = pair()
    own = net.operation_parameters()
    assert {(graph, op) for graph, _, op in own} == {(0, 2), (0, 3)}
    assert len(own) == 12
    assert [tuple(one.shape) for one in own[0, 4, 3]] == [(w, w, 3, 3) for w in (8, 16, 32)]
    assert len({id(one) for several in own.values() for one in several}) == 36
    weights = torch.zeros(6, 5, dtype=torch.float64)
    weights[4, 3] = 1.0
    weights[0, 1] = 1.0
    net(images(), Mix((weights,))).sum().backward()
    assert all(one.grad is not None for one in own[0, 4, 3])
    assert all(one.grad is None for place, several in own.items() if place != (0, 4, 3) for one in several)


WRONG = {
    "A mix needs weights for each of 1 graphs, which are cell; got 2.": Mix((torch.ones(6, 5),) * 2),
    "The weights of a mix for the graph cell must have the shape [6, 5] or [3, 6, 5], got [5, 6].": Mix(
        (torch.ones(5, 6),)
    ),
    "The edges of a mix for the graph cell must have the shape [6], got [6, 5].": Mix(
        (torch.ones(6, 5),), edges=(torch.ones(6, 5),)
    ),
    "The operations that are active must be said by a bool tensor on the CPU, got one of torch.float32 on "
    "cpu.": Mix((torch.ones(6, 5),), (torch.ones(6, 5),)),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_mix_of_other_graphs_is_told(message: str) -> None:
    net, _ = pair()
    with pytest.raises(UsageError) as caught:
        net(images(), WRONG[message])
    assert str(caught.value) == message


@pytest.mark.parametrize("space", [NatsTss(), Darts()], ids=["nats-tss", "darts"])
def test_another_device_is_never_waited_for(space: EdgeSpace) -> None:
    """The meta device refuses to be read, as a hidden synchronisation would."""
    net = mixed_net(space, 10, channels=4, cells=1).to("meta")
    weights = tuple(torch.ones(graph.shape, device="meta", requires_grad=True) for graph in net.graphs)
    edges = tuple(torch.ones(graph.shape[0], device="meta") for graph in net.graphs)
    active = tuple(torch.rand(graph.shape) < 0.5 for graph in net.graphs)
    x = torch.empty(4, 3, 16, 16, device="meta")
    for mix in (Mix(weights, edges=edges, skip=0.1), Mix(weights, active, inactive_as_scalar=True)):
        with Moves() as moves:
            net(x, mix).sum().backward()
        assert moves.waited == 0


def test_a_space_without_a_supernet_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        mixed_net(HandDesigned(), 10)
    assert str(caught.value) == (
        "A one-shot search needs a space with a trainable supernet, which are nats-tss, darts and "
        "darts-rnn; got hand-designed."
    )


def test_channels_that_cannot_be_parted_are_told() -> None:
    with pytest.raises(UsageError) as caught:
        mixed_net(SPACE, 10, channels=6, partial=4)
    assert str(caught.value) == (
        "The channels of a supernet must be a multiple of its partial channels: one in 4 of 6 is no whole "
        "number; give other channels."
    )
