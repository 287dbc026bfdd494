"""Archs of the size space that share the beginnings of nets, against their nets one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nas_ray.drivers.simulation import simulate
from nas_ray.proxies import PROXIES
from nas_ray.proxies.naswot import naswot
from nas_ray.proxies.synflow import synflow
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.experiment import prepare
from nas_ray.shared_weights.size_supernet import SizeSupernet
from nas_ray.shared_weights.sizes import SizeScorer
from nas_ray.spaces import NatsSss

ARCHS = ["8:16:24:32:40", "8:16:24:32:64", "8:8:8:8:8", "64:64:64:64:64", "8:16:16:16:8", "16:8:24:24:24"]


@pytest.mark.parametrize("stem", ["small", "strided"])
def test_scores_are_those_of_the_plain_proxies(stem: str) -> None:
    supernet = SizeSupernet(10, init_seed=3, stem=stem)
    size = 16 if stem == "small" else 64
    inputs = torch.randn(6, 3, size, size, generator=torch.Generator().manual_seed(0))
    targets = torch.zeros(6, dtype=torch.int64)
    found = SizeScorer(supernet, inputs, ("naswot", "synflow"))(ARCHS)
    for arch in ARCHS:
        net = supernet.net(arch)
        assert found[arch]["naswot"] == pytest.approx(naswot(net, inputs, targets), abs=0.05)  # signs of sums
        assert found[arch]["synflow"] == pytest.approx(synflow(net, inputs, targets), rel=1e-9)


def test_exact_in_double_precision() -> None:
    supernet = SizeSupernet(10)
    supernet.widest.double()
    supernet.skips.double()
    supernet.block.cache_clear()
    inputs = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = SizeScorer(supernet, inputs, ("naswot",))(ARCHS)
    for arch in ARCHS:
        plain = naswot(supernet.net(arch).double(), inputs, torch.zeros(6, dtype=torch.int64))
        assert found[arch]["naswot"] == pytest.approx(plain, rel=1e-9)


def test_weights_are_distributed_as_in_a_net_of_its_own() -> None:
    torch.manual_seed(0)
    own, shared = NatsSss().build("8:8:8:8:8", 10), SizeSupernet(10).net("8:8:8:8:8")
    for ours, theirs in zip(shared.parameters(), own.parameters(), strict=True):
        if ours.dim() > 1 and ours.numel() > 500:
            assert ours.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.05)


def test_archs_that_begin_alike_have_the_same_weights_there() -> None:
    supernet = SizeSupernet(10)
    one, other = (supernet.net(arch) for arch in ARCHS[:2])
    for left, right in zip(one.body[:4].parameters(), other.body[:4].parameters(), strict=True):  # type: ignore[index, operator, union-attr]
        assert torch.equal(left, right)


def test_a_search_with_several_sizes_per_trial() -> None:
    proxies = ("naswot", "synflow")
    args = SearchArgs(space="nats-sss", images="digits", batch_size=8, archs_per_trial=8, proxies=proxies)
    experiment = prepare("random_search", args, "random_search")
    rows = simulate(experiment.searcher, experiment.evaluator, num_samples=16, archs_per_trial=8)
    assert rows["error"].isna().all()
    assert np.isfinite(rows[["naswot", "synflow"]]).all(axis=None)
    assert rows["arch"].nunique() == 16
    once = simulate(
        prepare("random_search", args, "random_search").searcher, experiment.evaluator, num_samples=16
    )
    scores = once.set_index("arch").loc[rows["arch"], "synflow"]
    assert scores.tolist() == pytest.approx(rows["synflow"].tolist(), rel=1e-9)


def test_other_proxies_see_the_plain_net_with_these_weights() -> None:
    args = SearchArgs(space="nats-sss", images="digits", batch_size=8, proxies=("naswot,snip,params",))
    evaluator: Any = prepare("random_search", args, "random_search").evaluator
    row = evaluator.rows(["8:16:8:24:8"])[0]
    assert list(row)[:3] == ["naswot", "snip", "params"]
    net = SizeSupernet(10).net("8:16:8:24:8")
    batch = torch.tensor(evaluator.inputs), torch.tensor(evaluator.targets)
    for name in ("naswot", "snip", "params"):
        assert row[name] == pytest.approx(PROXIES[name](net, *batch), rel=1e-3)
