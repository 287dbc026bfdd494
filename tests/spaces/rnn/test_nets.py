"""Nets of recurrent cells: equal to plain forms, masks constant over time, sizes as published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas_ray.spaces import DartsRnn, RnnNets, RnnTree
from nas_ray.spaces.rnn.fused_back import PART
from nas_ray.spaces.rnn.products import LARGE, OFTEN
from nas_ray.spaces.rnn.published import PUBLISHED
from nas_ray.training.recurrent import Dropouts, RecurrentNet
from tests.spaces.rnn import plain

WORDS, STEPS, STREAMS = 11, 5, 3
TOKENS = torch.randint(WORDS, (STREAMS, STEPS), generator=torch.Generator().manual_seed(0))


def made(space: Any, arch: str) -> Any:
    """Returns a net in float64 whose gates are far from one half."""
    torch.manual_seed(0)
    net = space.build(arch, WORDS).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(12)
    return net


def drawn_arch(space: Any, seed: int) -> str:
    arch: str = space.sample(np.random.default_rng(seed))
    return arch


def gradients(of: list[Tensor], outputs: Tensor) -> list[Tensor]:
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=torch.float64).view_as(outputs)
    return [*torch.autograd.grad((outputs * weights).sum(), of)]


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


CELLS: list[Any] = [(RnnNets(7, 4), name) for name in PUBLISHED]
CELLS += [(DartsRnn(6), drawn_arch(DartsRnn(), seed)) for seed in range(3)]


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("space", "arch"), CELLS)
def test_a_cell_of_darts_equals_its_plain_form(space: Any, arch: str, fused: bool) -> None:
    net = made(space, arch)
    net.cell.fused = fused
    state = (torch.randn(STREAMS, space.width, dtype=torch.float64),)
    hidden = torch.rand(STREAMS, space.width, dtype=torch.float64)
    words = net.embedded(TOKENS).transpose(0, 1).detach()
    for seen in (None, hidden):
        wanted = plain.darts_outputs(net, words, state[0], seen)
        with torch.no_grad():
            close(net.cell(words, state, seen)[0], wanted)
        x = words.clone().requires_grad_()
        expected = gradients([x, *net.cell.parameters()], plain.darts_outputs(net, x, state[0], seen))
        outputs, after = net.cell(x, state, seen)
        close(outputs, wanted)
        close(after[0], wanted[-1])
        for one, other in zip(gradients([x, *net.cell.parameters()], outputs), expected, strict=True):
            close(one, other)


def test_the_state_has_the_gradient_of_the_plain_form() -> None:
    net = made(RnnNets(6), "darts-v2")
    x = net.embedded(TOKENS).transpose(0, 1).detach()
    first = torch.randn(STREAMS, 6, dtype=torch.float64, requires_grad=True)
    for seen in (None, torch.rand(STREAMS, 6, dtype=torch.float64)):
        (found,) = torch.autograd.grad(net.cell(x, (first,), seen)[0].square().sum(), first)
        (wanted,) = torch.autograd.grad(plain.darts_outputs(net, x, first, seen).square().sum(), first)
        close(found, wanted)


@pytest.mark.parametrize("seed", range(4))
def test_a_tree_equals_its_plain_form(seed: int) -> None:
    space = RnnTree(5, 3, base=4)
    net = made(space, drawn_arch(space, seed))
    x, state = net.embedded(TOKENS).transpose(0, 1), net.begin(STREAMS)
    state = tuple(one + 0.3 for one in state)
    outputs, (h, c) = net.cell(x, state, None)
    wanted, last = plain.tree_outputs(net, x, *state)
    for one, other in ((outputs, wanted), (h, wanted[-1]), (c, last)):
        close(one, other)


def test_the_tree_of_the_paper_is_its_formulas() -> None:
    """The example of figure 5: c comes to leaf 0 and is read of leaf 1 before its activation."""
    space = RnnTree(5, base=2)
    net = made(space, "|add_tanh|mult_relu|mult_sigmoid|+|add_relu~0|+|cell~1|")
    word, h, c = (torch.randn(1, 5, dtype=torch.float64) for _ in range(3))
    outputs, (_, after) = net.cell(word.unsqueeze(0), (h, c), None)
    (w1, w3), (w2, w4) = net.cell.input.weight.chunk(2), net.cell.hidden.weight.chunk(2)
    product = (word @ w3.T) * (h @ w4.T)
    zeroth = (torch.tanh(word @ w1.T + h @ w2.T) + c).relu()
    close(outputs[0], torch.sigmoid(zeroth * product.relu()))
    close(after, product)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_cells_of_torch_are_those_of_torch(kind: str, fused: bool) -> None:
    net = made(RnnNets(6, 4), kind)
    net.cell.fused = fused
    x = net.embedded(TOKENS).transpose(0, 1)
    state = tuple(torch.randn_like(one) for one in net.begin(STREAMS))
    first = tuple(one.unsqueeze(0) for one in state)
    wanted, _ = plain.torch_layer(kind, net.cell)(x, first if kind == "lstm" else first[0])
    outputs, after = net.cell(x, state, None)
    close(outputs, wanted)
    close(after[0], wanted[-1])


NETS = [*((RnnNets(6), name) for name in RnnNets.NAMED), (RnnTree(6, base=2), None), (RnnNets(6, 4), "lstm")]


@pytest.mark.parametrize(("space", "arch"), NETS)
def test_a_net_is_one_of_language(space: Any, arch: str | None) -> None:
    net = made(space, arch or drawn_arch(space, 0))
    assert isinstance(net, RecurrentNet)
    assert net.dropouts == Dropouts()
    logits = net(TOKENS)
    assert logits.shape == (STREAMS, STEPS, WORDS)
    first = net.run(TOKENS[:, :2], net.begin(STREAMS))
    second = net.run(TOKENS[:, 2:], first.state)
    close(torch.cat([first.logits, second.logits], 1), logits)
    assert first.outputs.shape == (STREAMS, 2, 6)
    assert all(len(one) == STREAMS for one in first.state)
    assert net.decoder.weight is net.embedding.weight


@pytest.mark.parametrize(("space", "arch"), NETS)
def test_masks_are_constant_over_time_and_drawn_anew_in_each_run(space: Any, arch: str | None) -> None:
    """Words that are all equal, and states that are kept, meet equal masks at every step."""
    net = made(space, arch or drawn_arch(space, 0)).train()
    net.dropouts = Dropouts(word=0.4, embedding=0.4, input=0.4, hidden=0.4, output=0.4)
    seen: list[Tensor | None] = []

    class Kept(nn.Module):
        width, fused = net.cell.width, True

        def forward(self, x: Tensor, state: Any, hidden: Tensor | None) -> Any:
            seen.extend([x, hidden])
            return torch.ones(len(x), x.shape[1], self.width, dtype=x.dtype), state

    state = net.begin(STREAMS)
    net.cell = Kept()
    same = torch.full((STREAMS, STEPS), 3)
    torch.manual_seed(1)
    run = net.run(same, state)
    x, hidden = seen[:2]
    assert x is not None
    assert hidden is not None
    for step in range(1, STEPS):
        assert torch.equal(x[step], x[0])
        assert torch.equal(run.dropped[:, step], run.dropped[:, 0])
    assert torch.equal(run.outputs, torch.ones_like(run.outputs))
    assert set(hidden.unique().tolist()) <= {0.0, 1 / 0.6}
    assert set(run.dropped.unique().tolist()) == {0.0, 1 / 0.6}
    assert not torch.equal(net.run(same, state).dropped, run.dropped)
    net.eval()
    assert torch.equal(net.run(same, state).dropped, run.outputs)


def test_a_word_is_dropped_wherever_it_stands() -> None:
    net = made(RnnNets(6), "lstm").train()
    net.dropouts = Dropouts(word=0.5)
    torch.manual_seed(0)
    tokens = torch.arange(WORDS).repeat(STREAMS, 2)
    x = net.embedded(tokens)
    factors = (x / net.embedding(tokens)).nan_to_num()[..., 0].round(decimals=9)
    assert set(factors.unique().tolist()) == {0.0, 2.0}
    assert bool((factors == factors[0, :WORDS].repeat(2)).all())


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "darts-v2"])
def test_hidden_masks_act_where_a_matrix_reads_the_state(kind: str) -> None:
    """A mask of zeros takes the state out of all matrices and leaves it where it is carried along."""
    net = made(RnnNets(4), kind)
    x = net.embedded(TOKENS).transpose(0, 1)
    state = tuple(torch.randn_like(one) for one in net.begin(STREAMS))
    none = torch.zeros(STREAMS, 4, dtype=torch.float64)
    with torch.no_grad():
        found, _ = net.cell(x, state, none)
        for name, weight in net.cell.named_parameters():
            if name == "hidden.weight" or name.startswith(("first_hidden", "nodes")):
                weight.zero_()
        wanted, _ = net.cell(x, state, None)
    close(found, wanted)


@pytest.mark.parametrize("name", ["darts-v1", "darts-v2", "random"])
def test_the_published_cell_has_23_million_parameters(name: str) -> None:
    with torch.device("meta"):
        net = RnnNets(850).build(name, 10_000)
    count = sum(parameter.numel() for parameter in net.parameters())
    assert count == 2 * 850 * 1_700 + 8 * 850 * 1_700 + 10_000 * 850 + 10_000 == 22_960_000
    assert round(count / 1e6) == 23


def test_published_cells_are_archs_of_the_space() -> None:
    space = DartsRnn()
    cells = {name: cell.written() for name, cell in PUBLISHED.items()}
    assert [name for name, arch in cells.items() if arch not in space] == ["enas"]
    assert cells["random"] == drawn_arch(space, 0)
    assert cells["darts-v2"].startswith("|sigmoid~0|relu~1|")


def test_a_fused_run_without_gradients_keeps_no_steps() -> None:
    net = RnnNets(16).build("darts-v2", WORDS)
    made_of: list[int] = []

    class Counted(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            if "empty" in str(function):
                made_of.append(result.numel())
            return result

    with torch.no_grad(), Counted():
        net(torch.zeros(2, 50, dtype=torch.long))
    assert max(made_of) == 50 * 2 * 16  # the outputs


@pytest.mark.parametrize("name", ["darts-v2", "enas"])
@pytest.mark.parametrize(("streams", "steps"), [(1, 1), (1, 2 * PART + 3), (3, PART + 1)])
def test_texts_of_any_size_and_order_have_the_gradients_of_the_plain_form(
    name: str, streams: int, steps: int
) -> None:
    net = made(RnnNets(4, 3), name)
    x = torch.randn(streams, steps, 3, dtype=torch.float64).transpose(0, 1).requires_grad_()  # by streams
    state = torch.randn(4, streams, dtype=torch.float64).t().requires_grad_()
    of = [x, state, *net.cell.parameters()]
    for seen in (None, torch.rand(streams, 4, dtype=torch.float64)):
        expected = gradients(of, plain.darts_outputs(net, x, state, seen))
        for one, other in zip(gradients(of, net.cell(x, (state,), seen)[0]), expected, strict=True):
            close(one, other)


def test_runs_of_one_cell_leave_each_other_alone() -> None:
    net = made(RnnNets(4), "darts-v2")
    texts = [torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    outputs = [net.cell(x, net.begin(2), None)[0].square().sum() for x in texts]
    for x, found in zip(texts, outputs, strict=True):
        wanted = torch.autograd.grad(plain.darts_outputs(net, x, net.begin(2)[0]).square().sum(), x)[0]
        close(torch.autograd.grad(found, x, retain_graph=True)[0], wanted)
        close(torch.autograd.grad(found, x)[0], wanted)


def test_large_matrices_of_32_bits_give_what_the_step_by_step_form_does() -> None:
    net = RnnNets(200, 8).build("darts-v2", WORDS)
    x, hidden, found = torch.randn(OFTEN, 3, 8), torch.rand(3, 200), []
    assert LARGE <= 2 * 200 * 200
    for net.cell.fused in (True, False):
        outputs, _ = net.cell(x, net.begin(3), hidden)
        found.append([outputs, *torch.autograd.grad(outputs.square().sum(), list(net.cell.parameters()))])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
