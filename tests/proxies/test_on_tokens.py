"""Proxies on nets that read a text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.proxies import PROXIES, grad_norm, jacob_cov, snip, synflow
from nas_ray.proxies.losses import loss_of
from nas_ray.spaces import RnnNets, RnnTree
from nas_ray.training.text_task import TextTask

WORKING = ("grad_norm", "jacob_cov", "params", "snip", "synflow")
TOKENS = torch.randint(9, (4, 7), generator=torch.Generator().manual_seed(0))
NEXT = TOKENS.roll(-1, 1)


class Words:
    """Seven words of four sentences."""

    num_outputs, metric_name = 9, "nats"

    def minibatch(self) -> tuple[Tensor, Tensor]:
        return TOKENS.clone(), NEXT.clone()

    loss = staticmethod(TextTask.loss)


def net_of(name: str, width: int = 6) -> Any:
    torch.manual_seed(0)
    return RnnNets(width).build(name, 9).double()


@pytest.mark.parametrize("space", [RnnNets(6, 5), RnnTree(6, base=2)])
def test_scores_of_a_text_are_numbers(space: Any) -> None:
    evaluate = ProxyScores.of_task(space, Words(), {name: PROXIES[name] for name in WORKING})  # type: ignore[arg-type]
    for arch in (space.sample(np.random.default_rng(seed)) for seed in range(3)):
        rows: list[Any] = []
        evaluate(arch, rows.append)
        assert rows[0]["error"] is None
        assert all(np.isfinite(rows[0][name]) for name in WORKING)


@pytest.mark.parametrize("name", sorted(set(PROXIES) - set(WORKING)))
def test_others_are_refused_in_a_sentence(name: str) -> None:
    said = (
        f"^The proxy '{name}' says nothing of recurrent nets; take grad_norm, jacob_cov, params, snip or "
        "synflow, or train with --fidelity lm-fast.$"
    )
    with pytest.raises(UsageError, match=said):
        ProxyScores.of_task(RnnNets(6), Words(), {name: PROXIES[name]})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["darts-v2", "lstm"])
def test_jacob_cov_looks_at_embedded_words(name: str) -> None:
    net = net_of(name)
    words = net.embedding(TOKENS).detach().requires_grad_()
    logits = net.after_embedding(words.transpose(0, 1), net.begin(4)).logits
    (jacobian,) = torch.autograd.grad(logits.sum(), words)
    values = np.linalg.eigvalsh(np.corrcoef(jacobian.flatten(1).numpy()))
    assert jacob_cov(net, TOKENS, NEXT) == pytest.approx(-(np.log(values + 1e-5) + 1 / (values + 1e-5)).sum())
    assert getattr(net.cell, "fused") is True  # noqa: B009  # as it was


@pytest.mark.parametrize("name", ["darts-v2", "gru"])
def test_gradients_are_those_of_all_matrices(name: str) -> None:
    net = net_of(name)
    layers = [module for module in net.modules() if isinstance(module, nn.Linear)]
    loss = nn.functional.cross_entropy(net(TOKENS).flatten(0, 1), NEXT.flatten())
    slopes = torch.autograd.grad(loss, [layer.weight for layer in layers])
    with loss_of(TextTask.loss):
        assert grad_norm(net, TOKENS, NEXT) == pytest.approx(sum(float(slope.norm()) for slope in slopes))
        products = (slope * layer.weight.detach() for slope, layer in zip(slopes, layers, strict=True))
        assert snip(net, TOKENS, NEXT) == pytest.approx(sum(float(one.abs().sum()) for one in products))


def test_synflow_of_a_plain_rnn_is_a_sum_of_paths() -> None:
    """One unit and two words of 1: h_1 = w + b, h_2 = w + u h_1 + b, and R = d h_1 + d h_2."""
    net: Any = RnnNets(1).build("rnn", 1).double()
    values = {"w": -2.0, "u": 3.0, "b": 0.5, "d": -5.0}
    with torch.no_grad():
        net.cell.input.weight.fill_(values["w"])
        net.cell.hidden.weight.fill_(values["u"])
        net.cell.input.bias.fill_(values["b"])
        net.cell.hidden.bias.zero_()
        net.decoder.weight.fill_(values["d"])
    w, u, b, d = (abs(value) for value in values.values())
    of_w = d * w + d * (w + u * w)
    of_u = d * u * (w + b)
    of_d = d * (w + b) + d * (w + u * (w + b) + b)
    tokens = torch.zeros(3, 2, dtype=torch.long)
    assert synflow(net, tokens, tokens) == pytest.approx(of_w + of_u + of_d)


def test_synflow_of_a_gated_cell_is_of_open_gates() -> None:
    """An open gate lets nothing past; what makes it carries as much as it lets through."""
    net: Any = net_of("darts-v2", 5)
    score = synflow(net, TOKENS[:, :1], NEXT)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_()

    def through(both: Tensor) -> Tensor:
        gate, candidate = both.chunk(2)
        return candidate * gate / gate.detach()

    weights = [net.cell.first_input.weight, *(node.weight for node in net.cell.nodes)]
    states = [through(weights[0] @ torch.ones(5, dtype=torch.float64))]
    for (_, source), weight in zip(net.cell.plan.nodes, weights[1:], strict=True):
        states.append(through(weight @ states[source]))
    flow = (torch.stack(states[1:]).mean(0) @ net.decoder.weight.T).sum()
    weights.append(net.decoder.weight)
    slopes = torch.autograd.grad(flow, weights)
    wanted = sum(
        float((slope * weight.detach()).sum()) for slope, weight in zip(slopes, weights, strict=True)
    )
    assert score == pytest.approx(wanted, rel=1e-9)


def test_a_net_of_others_without_an_embedding_is_told_so() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(1, 9)

        def forward(self, tokens: Tensor) -> Tensor:
            return self.layer(tokens.float().unsqueeze(-1))  # type: ignore[no-any-return]

        def begin(self, batch_size: int) -> tuple[Tensor, ...]:
            return ()

        def run(self, tokens: Tensor, state: tuple[Tensor, ...]) -> Any:
            raise AssertionError

    class Space:
        def sample(self, rng: np.random.Generator) -> str:
            return "bare"

        def build(self, arch: str, num_classes: int) -> nn.Module:
            return Bare()

    ProxyScores.of_task(Space(), Words(), {"snip": snip})  # type: ignore[arg-type]
    with pytest.raises(
        UsageError, match="^The proxy 'synflow' needs nets with embedded and after_embedding, "
    ):
        ProxyScores.of_task(Space(), Words(), {"synflow": synflow})  # type: ignore[arg-type]
