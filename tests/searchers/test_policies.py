"""Policies of controllers against computations of another kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch

from nas_ray.searchers.controllers.adam import Adam
from nas_ray.searchers.controllers.categorical import Categorical
from nas_ray.searchers.controllers.paths import Decision, Path, draw, path_of
from nas_ray.searchers.controllers.policy import Net, Policy
from nas_ray.searchers.controllers.recurrent import Recurrent
from nas_ray.searchers.controllers.steps import laid_out
from nas_ray.searchers.tokens import START, PlacedVocabulary
from nas_ray.spaces import END, NatsTss
from nas_ray.spaces.base import SequenceSpace
from nas_ray.spaces.sequences import as_sequence
from tests.searchers.layers import Stack
from tests.searchers.toy import Grid

SMALL = Net(layers=2, units=5, spread=0.8)


def categorical(space: SequenceSpace) -> Policy:
    return Categorical(0.1)


def recurrent(space: SequenceSpace, net: Net = SMALL) -> Policy:
    return Recurrent(space, net, lr=0.1, seed=3, double=True)


KINDS = [categorical, recurrent]
Make = Callable[[SequenceSpace], Policy]


def sequences(space: Any) -> SequenceSpace:
    made = as_sequence(space)
    assert made is not None
    return made


def moved(make: Make, space: SequenceSpace, steps: int = 4) -> Policy:
    """A policy that is no longer as it began."""
    policy, rng = make(space), np.random.default_rng(0)
    for _ in range(steps):
        paths = [draw(space, policy.begin(), rng).path for _ in range(3)]
        policy.climb(paths, lambda logs: rng.normal(size=len(logs)), 0.1)
    return policy


def gradient(policy: Policy, paths: Sequence[Path], weights: np.ndarray, entropy: float) -> list[np.ndarray]:
    """The gradient with which a step is made, one array per array of weights."""
    with mock.patch.object(Adam, "step") as step:
        policy.climb(paths, lambda _: weights, entropy)
    return [np.array(one) for one in step.call_args.args[1]]


def arrays(policy: Policy) -> list[np.ndarray]:
    """The weights, as views."""
    if isinstance(policy, Categorical):
        return [policy._logits]
    assert isinstance(policy, Recurrent)
    return list(policy._weights.values())


def refreshed(policy: Policy) -> None:
    """Makes a policy see weights that were changed from outside."""
    if isinstance(policy, Categorical):
        policy._refresh()
    else:
        policy._reading = None  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("space", [sequences(Grid()), Stack(3), Stack(2)])
def test_chances_of_all_archs_sum_to_one(make: Make, space: Any) -> None:
    policy = moved(make, space)
    archs = list(space) if isinstance(space, Stack) else list(Grid())
    logs = [policy.logs([path_of(space, space.decisions(arch))]).sum() for arch in archs]
    assert np.exp(logs).sum() == pytest.approx(1, abs=1e-9)
    assert np.ptp(logs) > 0.1  # it has moved


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("space", [sequences(Grid()), Stack(4)])
def test_what_is_drawn_has_the_chances_that_are_told(make: Make, space: Any) -> None:
    """The step by step computation in numpy against that of whole sequences, and against frequencies."""
    policy, rng = moved(make, space), np.random.default_rng(5)
    drawn = [draw(space, policy.begin(), rng) for _ in range(200)]
    together = policy.logs([one.path for one in drawn])
    assert np.concatenate([one.logs for one in drawn]) == pytest.approx(together, abs=1e-9)
    first = [one.path[0].taken for one in drawn]
    begin = drawn[0].path[0]
    told = [math.exp(policy.logs([(begin._replace(taken=taken),)])[0]) for taken in range(3)]
    assert np.bincount(first, minlength=3)[:3] / 200 == pytest.approx(told, abs=0.1)
    for one in drawn:
        assert space.decisions(space.assemble(one.decisions)) == one.decisions
        assert one.path == path_of(space, one.decisions)


def objective(policy: Policy, paths: Sequence[Path], weights: np.ndarray, entropy: float) -> float:
    """What a step climbs, from chances of single options alone."""
    entropies = 0.0
    for path in paths:
        for place, decision in enumerate(path):
            ways = [
                (*path[:place], decision._replace(taken=taken), *path[place + 1 :])
                for taken in range(len(decision.options))
            ]
            logs = np.array([policy.logs([way])[place] for way in ways])
            entropies -= float(np.sum(np.exp(logs) * logs))
    return float(weights @ policy.logs(paths)) + entropy / len(paths) * entropies


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("space", [sequences(Grid()), Stack(3)])
def test_gradients_are_those_of_finite_differences(make: Make, space: Any) -> None:
    policy, rng = moved(make, space), np.random.default_rng(1)
    paths = [draw(space, policy.begin(), rng).path for _ in range(4)]
    weights = rng.normal(size=sum(map(len, paths)))
    found, held, entropy = gradient(policy, paths, weights, 0.7), arrays(policy), 0.7
    for number, (array, uphill) in enumerate(zip(held, found, strict=True)):
        direction, sides = rng.normal(size=array.shape), []
        for side in (1e-5, -1e-5):
            shift = np.where(np.isfinite(array), side * direction, 0.0)
            array += shift
            refreshed(policy)
            sides.append(objective(policy, paths, weights, entropy))
            array -= shift
            refreshed(policy)
        slope = (sides[0] - sides[1]) / 2e-5
        assert np.sum(uphill * direction) == pytest.approx(slope, rel=1e-5, abs=1e-7), number
    if make is recurrent and isinstance(space, Stack):
        assert all(np.abs(one).max() > 1e-4 for one in found)  # anchor points are among them


def test_softmaxes_move_as_those_of_torch_do() -> None:
    space, rng = Stack(3), np.random.default_rng(2)
    policy, logits = Categorical(0.1), dict[tuple[int, tuple[str, ...]], torch.Tensor]()
    places = {(place, d.options) for arch in space for place, d in enumerate(path_of(space, arch.split()))}
    for place, options in sorted(places):
        logits[place, options] = torch.zeros(len(options), dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam(logits.values(), lr=0.1, maximize=True)
    for _ in range(6):
        paths = [draw(space, policy.begin(), rng).path for _ in range(3)]
        weights = rng.normal(size=sum(map(len, paths)))
        both = [(place, decision) for path in paths for place, decision in enumerate(path)]
        rows = [logits[place, decision.options].log_softmax(0) for place, decision in both]
        taken = torch.stack([row[decision.taken] for row, (_, decision) in zip(rows, both, strict=True)])
        entropy = -sum((row.exp() * row).sum() for row in rows)
        assert policy.logs(paths) == pytest.approx(taken.detach().numpy(), abs=1e-12)
        adam.zero_grad()
        (torch.tensor(weights) @ taken + 0.3 / 3 * entropy).backward()
        for tensor in logits.values():  # what is never met has no gradient there either
            tensor.grad = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        adam.step()
        policy.climb(paths, lambda _, weights=weights: weights, 0.3)
    for (place, options), tensor in logits.items():
        before = [Decision(("x",), 0)] * place
        ours = [policy.logs([(*before, Decision(options, k))])[-1] for k in range(len(options))]
        assert ours == pytest.approx(tensor.log_softmax(0).tolist(), abs=1e-9)


def test_the_net_is_torch_s_lstm() -> None:
    """Without anchor points, by `torch.nn`."""
    space = sequences(Grid())
    policy = Recurrent(space, Net(2, 7, 0.5), lr=0.1, seed=0, double=True)
    weights, tokens = policy._weights, PlacedVocabulary.of(space)
    lstm = torch.nn.LSTM(7, 7, 2, dtype=torch.float64)
    for layer in range(2):
        for ours, theirs in (("reads", "weight_ih"), ("keeps", "weight_hh"), ("bias", "bias_ih")):
            getattr(lstm, f"{theirs}_l{layer}").data = torch.tensor(weights[f"{ours}{layer}"])
        getattr(lstm, f"bias_hh_l{layer}").data.zero_()
    taken = ("2", "0", "3")
    numbers = [tokens.numbers(place, tuple("0123")) for place in range(3)]
    read = torch.tensor(weights["tokens"][[0, numbers[0][2], numbers[1][0]]])
    states = lstm(read)[0]
    scores = states @ torch.tensor(weights["head"]).T + torch.tensor(weights["head_bias"])
    own = [scores[place, numbers[place]].log_softmax(0).tolist() for place in range(3)]
    wanted = [own[place][int(option)] for place, option in enumerate(taken)]
    assert policy.logs([path_of(space, taken)])[:3] == pytest.approx(wanted, abs=1e-12)


def test_a_decision_at_an_anchor_point_looks_at_two_states_and_at_its_place() -> None:
    space = Stack(2)
    policy = Recurrent(space, SMALL, lr=0.1, seed=0, double=True)
    reader = policy.begin()
    for option in ("a", "b"):
        draw_of = {"a": 0.0, "b": 0.0}[option]
        reader.draw(space.options(()), None, draw_of)
    weights = policy._weights
    taken, log = reader.draw(("off", "on"), (1, 2), 0.999999)
    earlier, later = reader._at[1], reader._at[2]
    score = weights["v"] @ np.tanh(weights["earlier"] @ earlier + weights["later"] @ later)
    off, on = PlacedVocabulary.of(space).numbers(2, ("off", "on"))
    score += (weights["head"][on] - weights["head"][off]) @ later
    score += weights["head_bias"][on] - weights["head_bias"][off]
    assert (taken, math.exp(log)) == (1, pytest.approx(1 / (1 + math.exp(-score))))


def test_decisions_of_one_part_are_read_as_one_step() -> None:
    space, tokens = Stack(3), PlacedVocabulary()
    laid = laid_out([path_of(space, ["a", "b", "on", "c", "off", "on"])], tokens)
    begins = [*laid.starts, len(laid.tokens)]
    bags = [[tokens.tokens[token] for token in laid.tokens[begin:end]] for begin, end in pairwise(begins)]
    assert bags == [[(-1, START)], [(0, "a")], [(1, "b")], [(2, "on")], [(3, "c")], [(4, "off"), (5, "on")]]
    assert laid.places.tolist() == [0, 1, 2, 3, 4, 4, 5]  # a, b, on, c, off, on, the end
    assert laid.anchored.tolist() == [2, 4, 5]
    assert laid.anchors.tolist() == [[1, 1, 2], [2, 4, 4]]  # layer 0 is decided behind a, layer 1 behind b


def test_a_token_that_is_met_late_gets_weights() -> None:
    """Equal to those of a policy that met it at the same time, drawn or learnt from."""
    space, late = Stack(2), (Decision(("a", "new"), 1), Decision((END,), 0))
    first, second = (Recurrent(space, SMALL, lr=0.1, seed=0, double=True) for _ in range(2))
    reader = first.begin()
    taken, log = reader.draw(("a", "new"), None, 0.999999)
    assert (taken, log) == (1, pytest.approx(second.logs([late])[0]))
    for policy in (first, second):
        policy.climb([late], lambda logs: np.ones_like(logs), 0.0)
    assert first.logs([late])[0] == second.logs([late])[0] > log
    third = Recurrent(space, SMALL, lr=0.1, seed=9, double=True)
    third.load_state(first.state())
    for policy in (first, third):
        policy.climb([late], lambda logs: np.ones_like(logs), 0.0)
    assert third.logs([late]).tolist() == first.logs([late]).tolist()


def test_tokens_are_equal_for_equal_spaces() -> None:
    space = sequences(NatsTss())
    tokens, options = PlacedVocabulary.of(space), NatsTss().choices()[0]
    assert tokens.tokens == PlacedVocabulary.of(sequences(NatsTss())).tokens
    assert tokens.tokens[0] == (-1, START)
    placed = {(place, option) for place in range(6) for option in options}
    assert set(tokens.tokens[1:]) == placed | {(6, END)}
    assert set(tokens.numbers(0, options)).isdisjoint(tokens.numbers(1, options))
    assert tokens.numbers(1, ("more",)) == [len(tokens) - 1]
    assert tokens.numbers(1, (*options, "more")) == [*tokens.numbers(1, options), len(tokens) - 1]
    assert PlacedVocabulary(tokens.tokens[1:]).tokens == tokens.tokens


def test_adam_takes_arrays_that_grow() -> None:
    """As if they had been whole from the beginning, without gradient in what came later."""
    whole, grown, rng = np.zeros((3, 2)), np.zeros((2, 1)), np.random.default_rng(0)
    one, other = Adam(0.1), Adam(0.1)
    for step in range(6):
        if step == 3:
            grown = np.pad(grown, ((0, 1), (0, 1)))
        uphill = rng.normal(size=grown.shape)
        one.step([whole], [np.pad(uphill, [(0, a - b) for a, b in zip((3, 2), uphill.shape, strict=True)])])
        other.step([grown], [uphill])
    assert grown == pytest.approx(whole, abs=1e-15)


def test_new_decisions_copy_nothing_until_the_policy_is_read() -> None:
    """A long arch meets hundreds of them in its first draw."""
    policy = Categorical(0.1)
    with mock.patch.object(policy, "_refresh", side_effect=policy._refresh) as refresh:
        reader = policy.begin()
        drawn = [reader.draw(tuple("abcde"[: 2 + place % 4]), None, 0.7) for place in range(400)]
        refresh.assert_not_called()
        path = tuple(
            Decision(tuple("abcde"[: 2 + place % 4]), taken) for place, (taken, _) in enumerate(drawn)
        )
        assert policy.logs([path]).tolist() == [log for _, log in drawn]
        assert refresh.call_count == 1
    assert policy.state()["logits"].shape == (400, 5)
