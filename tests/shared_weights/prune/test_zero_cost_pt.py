from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.proxies import PROXIES
from nas_ray.shared_weights.mixture import Mixture
from nas_ray.shared_weights.prune import zero_cost_pt
from nas_ray.shared_weights.prune.trail import Minibatches, new_supernet
from nas_ray.shared_weights.prune.zero_cost_pt import ZeroCostPt
from nas_ray.shared_weights.supernet import BATCH, INITIAL
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import EDGES, OPS, to_arch, to_ops
from tests.proxies.nets import batch

SPACE = NatsTss(channels=4, cells=1)
IMAGES, LABELS = batch(12)  # float64


def plainly(proxy: str, statistics: str, seed: int, size: int) -> tuple[str, list[dict[str, float]]]:
    """Returns what one proposal finds, net by net with the plain proxy, and the scores of each decision."""
    net = new_supernet(SPACE, 5, seed, IMAGES, cells=1, statistics=statistics, name="here")
    rng = np.random.default_rng(seed)
    batches = Minibatches(IMAGES, LABELS, size, rng)
    chosen: dict[int, str] = {}
    scores = []
    for edge in rng.permutation(len(EDGES)).tolist():
        inputs, targets = batches.draw()
        scores.append({})
        for removed in OPS:
            ops, weights = [], []
            for place in range(len(EDGES)):
                left = [chosen[place]] if place in chosen else [*OPS]
                ops.append(tuple(op for op in left if place != edge or op != removed))
                weights.append(tuple(1.0 if place in chosen else 0.2 for _ in ops[-1]))
            plain = net.extract(Mixture(tuple(ops), tuple(weights))).train(statistics == BATCH)
            value = naswot_as_it_is(plain, inputs) if statistics == INITIAL else None
            scores[-1][removed] = PROXIES[proxy](plain, inputs, targets) if value is None else value
        chosen[edge] = min(scores[-1], key=scores[-1].__getitem__)
    return to_arch(tuple(chosen[edge] for edge in range(len(EDGES)))), scores


def naswot_as_it_is(net: torch.nn.Module, inputs: torch.Tensor) -> float:
    """Returns NASWOT of a net in the mode that it is in, by the formula."""
    kernel = torch.zeros(len(inputs), len(inputs), dtype=torch.float64)

    def see(module: torch.nn.Module, args: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        code = (args[0].flatten(1) > 0).double()
        kernel.add_(code @ code.T + (1 - code) @ (1 - code).T)

    hooks = [m.register_forward_hook(see) for m in net.modules() if isinstance(m, torch.nn.ReLU)]
    with torch.no_grad():
        net(inputs)
    for hook in hooks:
        hook.remove()
    return float(np.linalg.slogdet(kernel.numpy())[1])


OF_MORE = pytest.mark.slow(faster="test_a_proposal_is_that_of_plain_nets_one_by_one")


@pytest.mark.parametrize(
    ("proxy", "statistics"),
    [
        ("naswot", INITIAL),
        pytest.param("naswot", BATCH, marks=OF_MORE),
        ("synflow", BATCH),
        pytest.param("snip", BATCH, marks=OF_MORE),
    ],
)
def test_a_proposal_is_that_of_plain_nets_one_by_one(proxy: str, statistics: str) -> None:
    method = ZeroCostPt(proxy, batch_size=6, proposals=1, statistics=statistics)
    found = method(SPACE, 5, IMAGES, LABELS, seed=3)
    arch, scores = plainly(proxy, statistics, 3, 6)
    assert found.arch == arch
    for step, expected in enumerate(scores):
        own = {one.op: one.values[proxy] for one in found.trail if one.step == step}
        assert own == pytest.approx(expected, rel=1e-9)


def test_the_trail_says_what_was_kept_and_why() -> None:
    found = ZeroCostPt("synflow", batch_size=4, proposals=3)(SPACE, 5, IMAGES, LABELS)
    assert len(found.trail) == 3 * len(EDGES) * len(OPS)
    for proposal in range(3):
        kept: dict[int, str] = {}
        for step in range(len(EDGES)):
            own = [one for one in found.trail if (one.proposal, one.step) == (proposal, step)]
            assert len({one.edge for one in own}) == 1
            (stays,) = [one for one in own if one.stays]
            assert stays.values["synflow"] == min(one.values["synflow"] for one in own)
            kept[stays.edge] = stays.op
        arch = to_arch(tuple(kept[edge] for edge in range(len(EDGES))))
        assert arch in found.scores or found.scores == {}
    orders = {tuple(one.edge for one in found.trail if one.proposal == p)[::5] for p in range(3)}
    assert len(orders) > 1  # the order of edges is drawn anew


def test_the_best_proposal_by_the_proxy_is_taken() -> None:
    method = ZeroCostPt(batch_size=8, proposals=4, rounds=2)
    found = method(SPACE, 5, IMAGES, LABELS, seed=1)
    assert len(found.scores) > 1
    assert found.arch == max(found.scores, key=found.scores.__getitem__)
    rng = np.random.default_rng(1)
    batches = Minibatches(IMAGES, LABELS, 8, rng)
    for _ in range(4):  # what the proposals draw
        rng.permutation(len(EDGES))
        for _ in EDGES:
            batches.draw()
    net = new_supernet(SPACE, 5, 1, IMAGES, name="here")
    sums = dict.fromkeys(found.scores, 0.0)
    for _ in range(2):
        inputs, _ = batches.draw()
        for arch in sums:
            sums[arch] += naswot_as_it_is(net.extract(arch).eval(), inputs)
    assert dict(found.scores) == pytest.approx(sums, rel=1e-9)


def test_equal_seeds_find_the_same_and_leave_the_process_alone() -> None:
    method = ZeroCostPt(batch_size=4, proposals=2)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again = (method(SPACE, 5, IMAGES, LABELS, seed=2) for _ in range(2))
    assert first == again
    assert torch.equal(before, torch.random.get_rng_state())
    assert method(SPACE, 5, IMAGES, LABELS, seed=4).trail != first.trail


def test_scores_that_are_no_numbers_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(supernet: object, archs: list[object], *batch: object) -> torch.Tensor:
        return torch.tensor([math.nan, 3.0, 1.0, 2.0, math.nan][: len(archs)], dtype=torch.float64)

    monkeypatch.setitem(zero_cost_pt.BATCHED, "snip", broken)
    found = ZeroCostPt("snip", proposals=1)(SPACE, 5, IMAGES, LABELS)
    assert set(to_ops(found.arch)) == {OPS[2]}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ZeroCostPt("naswott"), "Unknown proxy 'naswott'. Did you mean 'naswot'?"),
        (lambda: ZeroCostPt(proposals=0), "proposals of zero-cost-pt must be at least 1, but 0 was given."),
        (
            lambda: ZeroCostPt(statistics="all"),
            "statistics of zero-cost-pt must be batch or initial, but 'all' was given.",
        ),
        (
            lambda: ZeroCostPt()(NatsSss(), 5, IMAGES, LABELS),
            "The method zero-cost-pt needs the space nats-tss, got nats-sss; choose another method.",
        ),
        (
            lambda: ZeroCostPt()(SPACE, 5, IMAGES[:1], LABELS[:1]),
            "The method zero-cost-pt needs at least 2 images and a label for each, got 1 images and 1 "
            "labels.",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as caught:
        call()
    assert str(caught.value).startswith(message)
