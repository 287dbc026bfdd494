from __future__ import annotations

import itertools
import math
import random

import pytest
import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.shared_weights.methods import METHODS, PARTS, Method, OneShotSearch, parse_method
from nas_ray.spaces import NatsSss, NatsTss
from nas_ray.spaces.darts import Darts
from nas_ray.spaces.named import make_space
from tests.night import by_day
from tests.shared_weights.methods.tiny import OPS, TinySpace, batches, tiny_net

PER_EPOCH = 2


def tiny(method: Method | str, kept: int | None = None, epochs: int = 4, **options: object) -> OneShotSearch:
    own = parse_method(method)[0] if isinstance(method, str) else method
    sizes = {"steps_per_epoch": PER_EPOCH, "cells": 2, "channels": 12, **options}
    return OneShotSearch(own, TinySpace(kept), 3, epochs=epochs, make_net=tiny_net, **sizes)


def train(search: OneShotSearch, epochs: range, pairs: list[tuple[Tensor, Tensor]] | None = None) -> dict:
    own = itertools.cycle(pairs or batches(2 * PER_EPOCH))
    seen: dict = {}
    for epoch in epochs:
        search.begin_epoch(epoch)
        for _ in range(PER_EPOCH):
            seen = search.step(next(own), next(own))
        search.end_epoch()
        if search.finished:
            break
    return seen


def everything(search: OneShotSearch) -> list[Tensor]:
    return [
        *search.net.state_dict().values(),
        *search.mixes.arch.state_dict().values(),
        *(search.mixes.edges.state_dict().values() if search.mixes.edges is not None else ()),
        *search.strengths(),
    ]


def same(one: OneShotSearch, other: OneShotSearch) -> bool:
    pairs = itertools.zip_longest(everything(one), everything(other))
    return all(torch.equal(first, second) for first, second in pairs)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_runs_on_nats_tss_and_finds_an_arch(name: str) -> None:
    method, _ = parse_method(f"{name},samples=3,tune_epochs=1")
    space = NatsTss()
    search = OneShotSearch(method, space, 4, epochs=3, steps_per_epoch=2, channels=4, cells=1)
    generator = torch.Generator().manual_seed(0)
    pairs = [
        (torch.randn(8, 3, 8, 8, generator=generator), torch.randint(4, (8,), generator=generator))
        for _ in range(4)
    ]
    for epoch in range(3):
        search.begin_epoch(epoch)
        seen = [search.step(pairs[0], pairs[1]), search.step(pairs[2], pairs[3])]
        search.end_epoch()
    assert all(math.isfinite(float(value)) for one in seen for value in one.values())
    assert search.derive(pairs[1:2], pairs[:1]) in space
    assert 0 <= search.evaluate(pairs) <= 100
    strengths = search.strengths()
    assert [own.shape for own in strengths] == [(6, 5)]
    if method.weights != "sigmoid":
        torch.testing.assert_close(strengths[0].sum(1), torch.ones(6))
    assert (search.edge_strengths() is None) == (method.edges == "none")


@pytest.mark.parametrize("name", ["gdas", "pc-darts", "rs-ws"])
@pytest.mark.parametrize("space", [Darts(), make_space("darts-s1")], ids=["darts", "darts-s1"])
def test_methods_find_archs_of_darts_and_of_its_subsets(name: str, space: Darts) -> None:
    """Whose edges differ in what they may take in `darts-s1`."""
    method, _ = parse_method(f"{name},samples=2")
    search = OneShotSearch(method, space, 4, epochs=2, channels=4, cells=3)
    pairs = [(torch.randn(4, 3, 8, 8), torch.arange(4)) for _ in range(2)]
    for epoch in range(2):
        search.begin_epoch(epoch)
        search.step(*pairs)
        search.end_epoch()
    cells = space.to_edges(search.derive(pairs[1:]))
    for graph, cell in zip(space.graphs(), cells, strict=True):
        assert all(op in graph.options(edge) for edge, op in cell.items())
        assert "none" not in cell.values()


DAILY = ("darts1", "gdas", "p-darts", "enas")
"""Methods whose resumes are tried by day, whose states are of different kinds; the others are at night."""


@pytest.mark.parametrize(
    "name",
    by_day(METHODS, DAILY, faster="test_a_search_goes_on_in_the_middle_of_an_epoch_to_the_last_bit"),
)
@pytest.mark.parametrize("kept", [None, 2])
def test_a_search_goes_on_in_the_middle_of_an_epoch_to_the_last_bit(name: str, kept: int | None) -> None:
    text = f"{name},samples=3,drop_skip=0.5,patience=2,noise=0.2"
    whole, pairs = tiny(text, kept), batches(4 * 2 * PER_EPOCH)
    other = tiny(text, kept)
    train(whole, range(2), pairs)
    train(other, range(2), pairs)
    for one in (whole, other):
        one.begin_epoch(2)
        one.step(pairs[0], pairs[1])
    state = other.state()
    other.step(pairs[4], pairs[5])  # the state must not follow
    resumed = tiny(text, kept)
    resumed.load_state(state)
    assert same(whole, resumed)
    for one in (whole, resumed):
        one.step(pairs[2], pairs[3])
        one.step(pairs[4], pairs[5])
        one.end_epoch()
        train(one, range(3, 4), pairs)
    assert same(whole, resumed)
    assert whole.derive(pairs[:2]) == resumed.derive(pairs[:2])
    assert whole.evaluate(pairs) == resumed.evaluate(pairs)
    assert repr(whole.lambda_max(pairs[0])) == repr(resumed.lambda_max(pairs[0]))  # NaN is NaN


@pytest.mark.parametrize("name", METHODS)
def test_equal_seeds_are_equal_searches_and_others_are_not(name: str) -> None:
    one, other, third = tiny(name), tiny(name), tiny(name, seed=1)
    for search in (one, other, third):
        torch.rand(3)  # nothing depends on the global state
        train(search, range(2))
    assert same(one, other)
    assert not same(one, third)


def pairs_of_parts() -> list[str]:
    """Every pair of parts of different kinds that is a method, with what it needs beside."""
    found = {}
    for one, two in itertools.combinations(PARTS, 2):
        for a, b in itertools.product(PARTS[one], PARTS[two]):
            for rest in (
                "",
                "gradient=none,derive=sampled",
                "gradient=reward",
                "weights=policy",
                "weights=dirichlet",
                "weights=sigmoid",
                "weights=uniform,gradient=none",
                "weights=uniform,gradient=none,derive=sampled",
                "gradient=none",
                "derive=sampled",
            ):
                if any(f"{kind}=" in rest for kind in (one, two)):
                    continue
                text = f"darts1,{one}={a},{two}={b}" + (f",{rest}" if rest else "")
                try:
                    parse_method(text)
                except UsageError:
                    continue
                found[one, a, two, b] = text
                break
    return sorted(set(found.values()))


def test_pairs_of_parts_train_and_find_an_arch() -> None:
    """A random eighth of the several hundred pairs, on either kind of space."""
    texts = pairs_of_parts()
    assert len(texts) > 300
    chosen = random.Random(0).sample(texts, len(texts) // 8)
    for number, text in enumerate(chosen):
        search = tiny(f"{text},samples=2,tune_epochs=1,patience=2,attacks=2", (None, 2)[number % 2], 2)
        own = batches(4, size=4)
        for epoch in range(2):
            search.begin_epoch(epoch)
            seen = search.step(own[0], own[1])
            search.end_epoch()
        assert all(torch.isfinite(value).all() for value in seen.values()), text
        assert search.space.to_edges(search.derive(own[2:3], own[3:])), text


@pytest.mark.slow(faster="test_pairs_of_parts_train_and_find_an_arch")
def test_all_pairs_of_parts_train_and_find_an_arch() -> None:
    for text in pairs_of_parts():
        for kept in (None, 2):
            search = tiny(f"{text},samples=2,tune_epochs=1,patience=2,attacks=2", kept, 2)
            train(search, range(2))
            assert search.space.to_edges(search.derive(batches(1), batches(1))), text


@pytest.mark.parametrize("name", METHODS)
def test_a_loss_that_is_nan_is_told_and_breaks_nothing(name: str) -> None:
    search = tiny(f"{name},samples=2,tune_epochs=1,patience=2")
    own = [(images * float("nan"), targets) for images, targets in batches(4)]
    seen = train(search, range(4), own)
    assert math.isnan(float(seen["train_loss"]))
    assert search.space.to_edges(search.derive(own[:1], own[1:2]))
    assert math.isfinite(search.evaluate(own))
    search.lambda_max(own[0])


@pytest.mark.parametrize("name", METHODS)
def test_deriving_and_judging_leave_the_search_as_it_was(name: str) -> None:
    one, other = (tiny(f"{name},samples=3,tune_epochs=1") for _ in range(2))
    for search in (one, other):
        train(search, range(2))
    one.derive(batches(2), batches(2))
    one.evaluate(batches(2))
    one.lambda_max(batches(1)[0])
    for search in (one, other):
        train(search, range(2, 4))
    assert same(one, other)


@pytest.mark.parametrize("kept", [None, 2])
def test_removal_finds_the_operation_that_matters(kept: int | None) -> None:
    """What the net says comes from `tanh`, while the parameters prefer `sine`, which gives nothing."""
    search = tiny("darts-pt", kept)
    with torch.no_grad():
        for cell in search.net.ops:
            for edge in cell:
                for weight in edge["sine"].parameters():
                    weight.zero_()
                edge["tanh"].weight.mul_(8)
        for logits in search.mixes.arch.logits:
            logits.copy_(torch.tensor([-3.0, -3.0, 0.0, 1.0]).expand_as(logits))
        own = [
            (images, search.net(images, search.mixes.mean().mix()).argmax(1))
            for images, _ in batches(4, size=64)
        ]
    assert search.evaluate(own) == 100
    assert set(search.space.to_edges(search.current_arch())[0].values()) == {"sine"}
    for cell in search.space.to_edges(search.derive(own)):
        assert set(cell.values()) == {"tanh"}


def test_stages_drop_operations_and_deepen_the_net() -> None:
    search = tiny("p-darts,drop_skip=0.3", 2, epochs=6, cells=None)
    sizes, left = [], []
    for epoch in range(6):
        train(search, range(epoch, epoch + 1))
        sizes.append(len(search.net.ops))
        left.append(int(search.mixes.keep[0].sum(1).unique()))
    assert sizes == [10, 10, 22, 22, 34, 34]
    assert left == [4, 4, 3, 3, 2, 2]
    chosen = search.space.to_edges(search.derive([]))
    for cell, keep in zip(chosen, search.mixes.keep, strict=True):
        assert all(bool(keep[edge, OPS.index(op)]) for edge, op in cell.items())
    assert sum(op == "skip_connect" for op in chosen[0].values()) <= 2


def test_a_wider_stage_goes_on_with_its_weights() -> None:
    search = tiny("drnas,stages=drnas", epochs=4)
    train(search, range(2))
    before = {name: one.clone() for name, one in search.net.state_dict().items()}
    search.begin_epoch(2)
    after = search.net.state_dict()
    assert torch.equal(before["classifier.weight"], after["classifier.weight"])
    assert before["ops.0.0.tanh.weight"].shape == (3, 3)
    assert after["ops.0.0.tanh.weight"].shape == (6, 6)
    assert int(search.mixes.keep[0].sum(1).unique()) == 2
    train(search, range(2, 4))


def test_warm_up_trains_weights_alone() -> None:
    search = tiny("darts1,warmup=0.5")
    first = search.mixes.arch.logits[0].detach().clone()
    train(search, range(2))
    assert torch.equal(first, search.mixes.arch.logits[0])
    train(search, range(2, 3))
    assert not torch.equal(first, search.mixes.arch.logits[0])


def test_a_search_ends_at_two_skips() -> None:
    search = tiny("darts1,stop=skips")
    train(search, range(1))
    with torch.no_grad():
        search.mixes.arch.logits[0].zero_()
        search.mixes.arch.logits[0][0, 1] = search.mixes.arch.logits[0][1:, 2] = 1.0
    train(search, range(1, 2))
    assert not search.finished
    with torch.no_grad():
        search.mixes.arch.logits[0][1, 1] = 2.0
    train(search, range(2, 3))
    assert search.finished


def test_a_search_that_gets_sharp_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    search = tiny("darts1,stop=eigenvalue,arch_lr=0.1", epochs=12)
    values, logits = iter([1.0] * 5 + [1.5] * 7), []
    monkeypatch.setattr(OneShotSearch, "lambda_max", lambda self, batch: next(values))
    for epoch in range(12):
        train(search, range(epoch, epoch + 1))
        logits.append(search.mixes.arch.logits[0].detach().clone())
        if search.finished:
            break
    assert epoch == 9
    assert torch.equal(logits[9], logits[4])


def test_the_auxiliary_skip_fades() -> None:
    search = tiny("darts-")
    shares = []
    for epoch in range(4):
        search.begin_epoch(epoch)
        shares.append(search.mixes.draw().mix().skip)
    assert shares == [1.0, 0.75, 0.5, 0.25]


def test_single_paths_compute_one_operation_of_an_edge() -> None:
    for name in ("gdas", "rs-ws", "enas"):
        drawn = tiny(name).mixes.draw()
        assert [own.sum(1).tolist() for own in drawn.active] == [[1, 1, 1]]
        assert torch.equal(drawn.weights[0].detach(), drawn.active[0].float())
    for name in ("rs-ws", "enas"):
        mask = tiny(name, 2).mixes.draw().active[1]
        assert mask.sum() == 4
        assert not mask[:, 0].any()


@pytest.mark.parametrize(("space", "learns"), [(NatsTss(), True), (Darts(), False)])
def test_gdas_learns_of_what_it_did_not_draw_where_its_release_does(space: object, learns: bool) -> None:
    search = OneShotSearch(METHODS["gdas"], space, 3, image_size=16, epochs=2, channels=4, cells=3)
    drawn = search.mixes.draw()
    batch = torch.randn(4, 3, 16, 16), torch.arange(4) % 3
    leaves = drawn.leaves()
    found = torch.autograd.grad(search.training.loss(batch, drawn.mix(leaves)), leaves)
    for slopes, active in zip(found, drawn.active, strict=True):
        assert slopes[active].any()
        assert bool(slopes[~active].any()) == learns


def test_the_parameters_of_a_method_find_what_is_right() -> None:
    """Classes are the sign of a sine of the inputs, and half of the operations are taken away."""
    search = tiny("darts1,arch_lr=0.05", epochs=30, channels=4)
    seen = train(search, range(30), batches(60, size=32))
    assert float(seen["train_loss"]) < 1.0  # 1.1 by chance
    assert search.evaluate(batches(10, seed=9)) > 50


@pytest.mark.parametrize("name", sorted({*METHODS} - {"gdas", "rs-ws", "enas", "drnas"}))
def test_a_step_waits_for_no_device(name: str) -> None:
    """On the meta device nothing can be read, as a synchronisation would; single paths must know theirs."""
    search = tiny(f"{name},patience=1000", epochs=12, device="meta")
    own = batches(2)
    search.begin_epoch(0)
    search.step(*own)
    search.begin_epoch(search.current.warmup + 1)
    seen = search.step(*own)
    assert all(value.device.type == "meta" for value in seen.values())


@pytest.mark.parametrize("space", [NatsSss(), object()])
def test_a_space_without_edges_is_refused(space: object) -> None:
    with pytest.raises(UsageError, match="needs a space of operations on edges"):
        OneShotSearch(METHODS["darts1"], space, 3)


def test_a_sample_needs_batches() -> None:
    with pytest.raises(UsageError, match="needs validation batches that can be read again, got none"):
        tiny("rs-ws").derive([])
