"""What the command line says about the searcher reaches it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import Costs
from nas_ray.runs.stored_args import stored_args
from nas_ray.search.arguments import AnySearchArgs, ReaArgs, SearchArgs, SkipReaArgs
from nas_ray.search.experiment import prepare
from nas_ray.search.pnas_args import PnasArgs
from nas_ray.search.reinforce_args import ReinforceArgs
from nas_ray.search.session import stored_form
from nas_ray.searchers import ProgressiveSearch, RegularizedEvolution, Reinforce, SkipRea
from nas_ray.searchers.options import option_defaults
from nas_ray.spaces import NatsSss, NatsTss


def test_options_of_any_searcher() -> None:
    args = AnySearchArgs(searcher="rea", searcher_args=("population=20", "mutation=node", "ageing=no"))
    searcher = prepare("search", args, args.searcher).searcher
    assert isinstance(searcher, RegularizedEvolution)
    assert (searcher.population, searcher.ageing) == (20, False)
    with pytest.raises(UsageError, match="Did you mean 'population'"):
        prepare("search", AnySearchArgs(searcher="rea", searcher_args=("populaton=20",)), "rea")


def test_variants_of_evolution() -> None:
    searcher = prepare("rea", ReaArgs(replacement=False, ageing=False), RegularizedEvolution).searcher
    assert isinstance(searcher, RegularizedEvolution)
    assert not searcher.replacement
    assert not searcher.ageing
    ruled = prepare("skip_rea", SkipReaArgs(rule="july_2022"), SkipRea).searcher
    assert isinstance(ruled, SkipRea)
    assert ruled.rule == "july_2022"
    with pytest.raises(UsageError, match="Unknown skip rule 'july'"):
        prepare("skip_rea", SkipReaArgs(rule="july"), SkipRea)


def test_options_of_reinforce_are_those_of_the_searcher() -> None:
    assert ReinforceArgs().searcher_options() == option_defaults(Reinforce)
    args = ReinforceArgs(policy="lstm", lr=0.01, late="drop", max_age=3)
    searcher = prepare("reinforce", args, Reinforce).searcher
    assert isinstance(searcher, Reinforce)
    assert (searcher.archs_per_update, searcher.late, searcher.max_age) == (8, "drop", 3)


def test_arguments_of_reinforce_are_read_back(tmp_path: Path) -> None:
    args = ReinforceArgs(policy="lstm", reward="cubed", momentum=0.5)
    stored = json.loads(json.dumps(stored_form(args)))
    assert stored_args(ReinforceArgs, stored, tmp_path) == args
    with pytest.raises(UsageError, match="was changed: policy must be categorical or lstm, but is 'x'"):
        stored_args(ReinforceArgs, {**stored, "policy": "x"}, tmp_path)


def test_options_of_progressive_search_are_those_of_the_searcher(tmp_path: Path) -> None:
    assert PnasArgs().searcher_options() == option_defaults(ProgressiveSearch)
    args = PnasArgs(predictor="lstm", beam=7, targets="ranks")
    searcher = prepare("pnas", args, ProgressiveSearch).searcher
    assert isinstance(searcher, ProgressiveSearch)
    assert (searcher.predictor, searcher.beam, searcher.targets) == ("lstm", 7, "ranks")
    assert stored_args(PnasArgs, json.loads(json.dumps(stored_form(args))), tmp_path) == args


def test_limits_reach_the_searcher() -> None:
    """In a space that says what its archs cost."""
    args = SearchArgs(space="nats-sss", max_params=200e3, max_flops=50e6)
    made = prepare("rea", args, RegularizedEvolution)
    costs, rng = Costs(NatsSss()), np.random.default_rng(0)
    drawn = [costs(made.searcher.space.sample(rng)) for _ in range(30)]
    assert 150e3 < max(params for params, _ in drawn) <= 200e3
    assert 40e6 < max(flops for _, flops in drawn) <= 50e6
    with pytest.raises(UsageError, match="must be above 0"):
        prepare("rea", SearchArgs(max_params=-1.0), RegularizedEvolution)


@pytest.mark.slow(faster="test_limits_reach_the_searcher")
def test_limits_hold_for_the_searcher() -> None:
    made = prepare("rea", SearchArgs(max_params=0.4e6, max_flops=60e6), RegularizedEvolution)
    costs, rng = Costs(NatsTss()), np.random.default_rng(0)
    drawn = [costs(made.searcher.space.sample(rng)) for _ in range(30)]
    assert max(params for params, _ in drawn) <= 0.4e6
    assert max(flops for _, flops in drawn) <= 60e6
    with pytest.raises(UsageError, match="must be above 0"):
        prepare("rea", SearchArgs(max_params=-1.0), RegularizedEvolution)
    with pytest.raises(UsageError, match="No arch of the space passes"):
        prepare("rea", SearchArgs(max_params=10.0), RegularizedEvolution)
