"""Searchers, proxies, limits, trainings and files on the space of DARTS."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.proxies import OF_ONE_SPACE, PROXIES
from nas_ray.searchers import SEARCHERS, ArchSearcher, Single
from nas_ray.spaces import Darts
from nas_ray.spaces.darts_reduced import DartsS1, DartsS4
from nas_ray.spaces.named import open_space
from nas_ray.train.args import TrainArgs
from nas_ray.train.job import prepare
from nas_ray.training.trained import NetFacts, TrainedNet, load
from tests.searchers.toy import drive, options_of
from tests.spaces.in_use import HERE, run, trained

SMALL = "darts:channels=2,cells=3"


@pytest.fixture(params=sorted(SEARCHERS))
def make(request: pytest.FixtureRequest) -> type[ArchSearcher]:
    return SEARCHERS[request.param]


def test_every_searcher_stays_in_the_space(make: type[ArchSearcher]) -> None:
    for space in (Darts(), DartsS1()):
        searcher = make(space, fitness=Single(("x",)), **options_of(make))
        assert all(arch in space for arch in drive(searcher, 40))


def test_what_needs_one_cell_refuses_two() -> None:
    said = "needs a space with the methods choices, decisions, assemble, groups, got Darts without groups"
    with pytest.raises(UsageError, match=said):
        SEARCHERS["rea"](Darts(), fitness=Single(("x",)), mutation="node")


@pytest.mark.parametrize("name", sorted(set(PROXIES) - set(OF_ONE_SPACE)))
def test_every_proxy_but_those_of_one_space_scores_its_nets(name: str) -> None:
    inputs = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for space in (open_space(SMALL), DartsS4(2, 3)):  # noise is drawn at every pass
        arch = space.sample(np.random.default_rng(1))
        torch.manual_seed(0)
        score = PROXIES[name](space.build(arch, 5), inputs, torch.arange(8) % 5)
        assert type(score) is float
        assert math.isfinite(score)


def test_the_proxy_of_shortcuts_says_whose_nets_it_needs() -> None:
    space = open_space(SMALL)
    net = space.build(space.sample(np.random.default_rng(1)), 5)
    said = "skip: needs a net with the attribute skip_spans, which nats-tss gives to its nets, got DartsNet."
    with pytest.raises(ValueError, match=re.escape(said)):
        PROXIES["skip"](net, torch.randn(2, 3, 16, 16), torch.arange(2))


def test_a_search_its_best_arch_a_training_and_its_file(tmp_path: Path) -> None:
    """From the command line: options stay with the run, the training and the net."""
    out = tmp_path / "search"
    few = ("--batch-size", 8, "--num-samples", 4, "--max-params", 3_000)
    run("rea", "--space", SMALL, *HERE, *few, "--out", out)
    best = json.loads((out / "best.json").read_text())
    assert best["arch"] in Darts()
    assert best["label"].startswith("normal ")
    recipe = "darts-fast:epochs=1,data_fraction=0.1"
    net = trained(out, best["arch"], SMALL, "--formats", "none", recipe=recipe)
    assert not any("auxiliary" in name or "second" in name for name in net.state_dict())


def test_a_training_refuses_nets_without_what_the_recipe_asks_for(tmp_path: Path) -> None:
    said = (
        "The recipe option auxiliary_weight needs a net with the methods auxiliary_head and with_auxiliary, "
        "such as those of the space darts, got CifarResNet; give auxiliary_weight=0."
    )
    with pytest.raises(UsageError, match=re.escape(said)):
        prepare(TrainArgs(arch="resnet-20", images="digits", recipe="darts-600", out=tmp_path / "a"))


def test_trials_train_with_a_second_classifier(tmp_path: Path) -> None:
    recipe = "darts-fast:epochs=2,data_fraction=0.1"
    space = ("--space", "darts-s2:channels=2,cells=3")
    run("random_search", *space, *HERE, "--num-samples", 2, "--fidelity", recipe, "--out", tmp_path / "a")
    rows = pd.read_csv(tmp_path / "a" / "results.csv")
    assert rows["valid_acc"].notna().all()
    assert set(rows["epochs"]) == {2}


def test_a_file_that_names_a_giant_net_is_refused_before_it_is_built(tmp_path: Path) -> None:
    space = open_space(SMALL)
    arch = space.sample(np.random.default_rng(0))
    facts = NetFacts(arch, "darts:channels=4096,cells=200", 3, 32, ("a", "b", "c"), (0.5,) * 3, (0.5,) * 3)
    path = tmp_path / "model.pt"
    TrainedNet(space.build(arch, 3), facts).save(path)
    with pytest.raises(UsageError, match=r"does not fit together: .* numbers for a net of [\d,]{13,};"):
        load(path)


def test_a_file_that_names_a_space_that_cannot_be_is_refused(tmp_path: Path) -> None:
    space = open_space(SMALL)
    arch = space.sample(np.random.default_rng(0))
    facts = NetFacts(arch, "darts:cells=1000", 3, 32, ("a", "b", "c"), (0.5,) * 3, (0.5,) * 3)
    path = tmp_path / "model.pt"
    TrainedNet(space.build(arch, 3), facts).save(path)
    with pytest.raises(
        UsageError, match="must hold a net of a space that can be: A net of darts has at most"
    ):
        load(path)
