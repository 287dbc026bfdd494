"""Searchers, proxies, searches and trainings on the layer-wise space."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import limited
from nas_ray.proxies import OF_ONE_SPACE, PROXIES
from nas_ray.searchers import SEARCHERS, ArchSearcher, Single
from nas_ray.spaces import Layerwise
from nas_ray.spaces.named import open_space
from tests.searchers.toy import drive, options_of
from tests.spaces.in_use import HERE, run, trained

SMALL = "layerwise:preset=strides,least=2,most=5,filters=4+6,pools=max2"
NEED_DECISIONS = {"freerea", "nsga2", "optuna", "predictor", "wrs", "wrs_two_point"}


@pytest.mark.parametrize("name", sorted(SEARCHERS))
def test_every_searcher_stays_in_the_space_or_says_what_it_needs(name: str) -> None:
    space, make = open_space(SMALL), SEARCHERS[name]
    assert isinstance(make, type)
    assert issubclass(make, ArchSearcher)
    if name in NEED_DECISIONS:
        with pytest.raises(UsageError, match="archs are a fixed number of decisions, .*; search it with rea"):
            make(space, fitness=Single(("x",)), **options_of(make))
        return
    for inside in (space, limited(space, max_params=3_000)):
        searcher = make(inside, fitness=Single(("x",)), **options_of(make))
        assert all(arch in space for arch in drive(searcher, 30))


@pytest.mark.parametrize("name", sorted(set(PROXIES) - set(OF_ONE_SPACE)))
def test_every_proxy_but_those_of_one_space_scores_its_nets(name: str) -> None:
    inputs = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    space = open_space(SMALL)
    archs = ["5x5x4/2-3x3x6-3x3x6~1+2", "3x3x6-3x1x6~0-1x3x4/2x3~1+2-max2~1"]
    if name == "az_trainability":
        archs.pop()  # it asks for gradients from each layer to the one before, which this one does not read
    for arch in archs:
        torch.manual_seed(0)
        score = PROXIES[name](space.build(arch, 5), inputs, torch.arange(8) % 5)
        assert type(score) is float
        assert math.isfinite(score), arch


def search(out: Path) -> dict[str, object]:
    """Searches with the default fitness, whose batched engine has no such nets, and returns the best arch."""
    few = ("--batch-size", 8, "--num-samples", 4, "--max-params", 5_000)
    run("rea", "--space", SMALL, *HERE, *few, "--out", out)
    best: dict[str, object] = json.loads((out / "best.json").read_text())
    return best


def test_a_search_from_the_command_line(tmp_path: Path) -> None:
    best = search(tmp_path / "search")
    assert best["arch"] in open_space(SMALL)
    assert re.match(r"\d layers", str(best["label"]))


@pytest.mark.slow(faster="test_a_search_from_the_command_line")
def test_a_training_of_what_was_found_and_its_file(tmp_path: Path) -> None:
    best = search(tmp_path / "search")
    trained(tmp_path / "search", best["arch"], SMALL, "--formats", "none", "--beside", "lenet-5")


def test_its_own_images_are_of_any_size() -> None:
    space = Layerwise("strides", least=3, most=3, filters=4)
    for size in (1, 17, 96):
        arch = space.sample(np.random.default_rng(size))
        assert space.build(arch, 3)(torch.zeros(2, 3, size, size)).shape == (2, 3)
