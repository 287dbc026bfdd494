"""Searchers, proxies, limits, trainings and files on the spaces of NASNet and PNAS."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nas_ray.proxies import OF_ONE_SPACE, PROXIES
from nas_ray.searchers import SEARCHERS, Single
from nas_ray.spaces import Nasnet, Pnas
from nas_ray.spaces.named import open_space
from nas_ray.spaces.needs import is_member
from tests.searchers.toy import drive, options_of
from tests.spaces.in_use import HERE, run, trained

SMALL = {"nasnet": "nasnet:channels=2,cells=1,blocks=2", "pnas": "pnas:channels=2,cells=1,blocks=2"}
NEED_CELLS_OR_DECISIONS = {"freerea", "nsga2", "optuna", "predictor", "wrs", "wrs_two_point"}


@pytest.mark.parametrize("name", sorted(SEARCHERS))
def test_every_searcher_that_takes_them_stays_in_the_space(name: str) -> None:
    spaces: list[Nasnet | Pnas] = [Nasnet()]
    if name not in NEED_CELLS_OR_DECISIONS:
        spaces.append(Pnas())
    for space in spaces:
        searcher = SEARCHERS[name](space, fitness=Single(("x",)), **options_of(SEARCHERS[name]))
        assert all(is_member(space, arch) for arch in drive(searcher, 12))


def check_scores(text: str, names: Iterable[str]) -> None:
    inputs = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    space = open_space(text)
    arch = space.sample(np.random.default_rng(1))
    for name in names:
        torch.manual_seed(0)
        score = PROXIES[name](space.build(arch, 5), inputs, torch.arange(8) % 5)
        assert type(score) is float, name
        assert math.isfinite(score), name


def test_proxies_score_their_nets() -> None:
    check_scores("pnas:channels=2,cells=1,blocks=1", ("naswot", "synflow", "jacob_cov", "zico", "grasp"))


@pytest.mark.slow(faster="test_proxies_score_their_nets")
@pytest.mark.parametrize("kind", SMALL)
def test_every_proxy_but_those_of_one_space_scores_their_nets(kind: str) -> None:
    check_scores(SMALL[kind], set(PROXIES) - set(OF_ONE_SPACE))


FEW = ("--batch-size", 8, "--num-samples", 3, "--proxies", "naswot,params")
RECIPE = "darts-fast:epochs=1,data_fraction=0.1"


@pytest.mark.slow(faster="test_a_search_its_best_arch_a_training_and_its_file")
@pytest.mark.parametrize("kind", SMALL)
def test_a_search_its_best_cell_a_training_and_its_file(tmp_path: Path, kind: str) -> None:
    """From the command line, with a limit, a second classifier and dropped paths."""
    out = tmp_path / "search"
    run("rea", "--space", SMALL[kind], *HERE, *FEW, "--max-params", 20_000, "--out", out)
    best = json.loads((out / "best.json").read_text())
    assert is_member(open_space(SMALL[kind]), best["arch"])
    assert "block" in best["label"] or best["label"].startswith("normal ")
    assert pd.read_csv(out / "results.csv")["params"].max() <= 20_000
    net = trained(out, best["arch"], SMALL[kind], "--formats", "none", recipe=RECIPE)
    assert not any("auxiliary" in name for name in net.state_dict())


@pytest.mark.slow(faster="test_a_search_its_best_arch_a_training_and_its_file")
def test_trials_train_published_cells(tmp_path: Path) -> None:
    space = ("--space", "nasnet-cells:channels=2,cells=1")
    run("random_search", *space, *HERE, "--num-samples", 1, "--fidelity", RECIPE, "--out", tmp_path / "a")
    rows = pd.read_csv(tmp_path / "a" / "results.csv")
    assert rows["valid_acc"].notna().all()
