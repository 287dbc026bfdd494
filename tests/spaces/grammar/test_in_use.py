"""Searchers, proxies, searches and trainings on sentences."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import limited
from nas_ray.proxies import OF_ONE_SPACE, PROXIES
from nas_ray.searchers import SEARCHERS, ArchSearcher, Single
from nas_ray.spaces import Grammar
from nas_ray.spaces.grammar.named import NETS
from nas_ray.spaces.named import open_space
from nas_ray.training.trained import load
from tests.searchers.toy import drive, options_of
from tests.spaces.in_use import HERE, RECIPE, TRAIN, run, trained

SMALL = "grammar:nodes=25,params=50000,values=200000,pixels=32"
NEED_CHOICES = {"freerea", "nsga2", "optuna", "predictor", "wrs", "wrs_two_point"}
ARCHS = {
    "maps": "conv3:8/2-bn-relu-[(id+conv3:8-bn-relu)]*2-conv3:16/2-relu",
    "attention": "conv3:8/2-bn-relu-tokens(pos-(id+ln-attn:1)-(id+ln-lin:16-relu-lin:8))-conv1:16-bn",
    "mixing": "patch4:8-bn-tokens((id+ln-mix:8)-relu-lin:8)-(dw3&conv1:8)-bn-relu",
}
NEED_RELU = {"naswot", "swap", "linear_regions"}


LONG = {"area", "move", "naswot_search", "pnas", "ppo", "reinforce", "warmup"}
"""Searchers that build many nets before they begin, or learn."""


def cases(names: Iterable[str], late: set[str]) -> list[object]:
    marks = [pytest.mark.slow(faster="test_every_searcher_stays_in_the_space_or_says_what_it_needs")]
    return [pytest.param(name, marks=marks if name in late else []) for name in sorted(names)]


@pytest.mark.parametrize("name", cases(SEARCHERS, LONG))
def test_every_searcher_stays_in_the_space_or_says_what_it_needs(name: str) -> None:
    space, make = open_space(SMALL), SEARCHERS[name]
    assert isinstance(make, type)
    assert issubclass(make, ArchSearcher)
    if name in NEED_CHOICES:
        needs = (
            "needs a space whose archs are a fixed number of decisions, .* got Grammar; search it with rea"
        )
        with pytest.raises(UsageError, match=needs):
            make(space, fitness=Single(("x",)), **options_of(make))
        return
    for inside in (space, limited(space, max_params=20_000)):
        searcher = make(inside, fitness=Single(("x",)), **options_of(make))
        assert all(arch in space for arch in drive(searcher, 12))


def scores(name: str, kinds: Iterable[str]) -> None:
    """A proxy gives a number for the nets of some of `ARCHS`."""
    inputs = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for kind in kinds:
        torch.manual_seed(0)
        score = PROXIES[name](Grammar(16).build(ARCHS[kind], 5), inputs, torch.arange(8) % 5)
        assert type(score) is float
        assert math.isfinite(score), kind


OF_SOME = {*OF_ONE_SPACE, "logsynflow_released", "az_trainability"}
"""Proxies for one space, for nets without normalisation that stays, and for chains of alike maps."""


@pytest.mark.parametrize("name", sorted(set(PROXIES) - OF_SOME))
def test_every_proxy_but_few_scores_its_nets(name: str) -> None:
    scores(name, ["attention"])


@pytest.mark.slow(faster="test_every_proxy_but_few_scores_its_nets")
@pytest.mark.parametrize("name", sorted(set(PROXIES) - set(OF_ONE_SPACE)))
def test_every_proxy_scores_all_its_nets(name: str) -> None:
    scores(name, ["maps"] if name in OF_SOME else ARCHS)


@pytest.mark.parametrize("name", sorted(NEED_RELU))
def test_what_looks_at_relu_says_so_of_nets_without(name: str) -> None:
    net = Grammar(16).build("patch4:8-tokens(ln-attn:1-gelu)", 5)
    with pytest.raises(ValueError, match="ReLU module"):
        PROXIES[name](net, torch.randn(8, 3, 16, 16), torch.arange(8) % 5)


def search(out: Path, space: str) -> dict[str, object]:
    """Searches with a small population, so that children are made, and returns the best arch."""
    few = ("--batch-size", 8, "--num-samples", 8, "--population", 3, "--sample", 2)
    scores = ("--proxies", "synflow,params", "--fitness", "single:synflow")
    run("rea", "--space", space, *HERE, *few, *scores, "--out", out)
    best: dict[str, object] = json.loads((out / "best.json").read_text())
    return best


def test_a_search_from_the_command_line(tmp_path: Path) -> None:
    best = search(tmp_path / "search", SMALL)
    assert best["arch"] in open_space(SMALL)
    assert "channels at stride" in str(best["label"])


@pytest.mark.slow(faster="test_a_search_from_the_command_line")
def test_a_search_from_a_known_net_its_training_and_its_file(tmp_path: Path) -> None:
    space = "grammar:start=vit-small-4+convnext-small-2,pixels=32"
    best = search(tmp_path / "search", space)
    table = (tmp_path / "search" / "results.csv").read_text()
    assert NETS["vit-small-4"] in table or NETS["convnext-small-2"] in table
    trained(tmp_path / "search", best["arch"], space, "--formats", "onnx,pt2", "--beside", "lenet-5")
    assert (tmp_path / "train" / "model.onnx").is_file()


@pytest.mark.slow(faster="test_a_search_from_the_command_line")
@pytest.mark.parametrize("name", ["vit-small-4", "mixer-small-4"])
def test_named_nets_are_trained_and_exported(name: str, tmp_path: Path) -> None:
    which = ("--space", "grammar-nets", "--arch", name, "--recipe", RECIPE)
    run("train", *which, *TRAIN, "--formats", "onnx", "--out", tmp_path / name)
    assert load(tmp_path / name / "model.pt").facts.arch == name
    assert (tmp_path / name / "model.onnx").is_file()
