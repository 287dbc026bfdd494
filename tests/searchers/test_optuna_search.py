from __future__ import annotations

import sys
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from ray.tune.search import Searcher

from nas_ray.errors import UsageError
from nas_ray.searchers import FilteredSpace, OptunaSearch, Single
from nas_ray.spaces import NatsTss
from tests.searchers.toy import Grid, Line, drive


class Counter(optuna.samplers.RandomSampler):
    """Chooses option 0, 1, 2, 3, 0, ... for one decision after the other."""

    made = 0

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        self.made += 1
        return distribution.choices[(self.made - 1) % len(distribution.choices)]


def test_any_sampler_makes_the_decisions() -> None:
    searcher = OptunaSearch(Grid(), fitness=Single(("x",)), sampler=lambda seed: Counter(seed=seed))
    assert drive(searcher, 4) == ["012", "301", "230", "123"]


def test_the_study_knows_what_was_told() -> None:
    searcher = OptunaSearch(Grid(), fitness=Single(("x",)), sampler=lambda seed: Counter(seed=seed))
    for number, result in enumerate([{"x": 2.0}, {"x": float("nan")}, {"error": "broken"}, {"x": 3.0}]):
        searcher.suggest(str(number))
        searcher.on_trial_complete(str(number), result)
    states = [trial.state for trial in searcher._study.trials]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.FAIL, TrialState.COMPLETE]
    assert searcher._study.best_value == 3.0
    assert list(searcher._study.best_params.values()) == ["1", "2", "3"]


def test_what_is_outside_of_a_filter_is_pruned() -> None:
    inside = FilteredSpace(Grid(), lambda arch: not arch.startswith("3"))
    searcher = OptunaSearch(inside, fitness=Single(("x",)), sampler=lambda seed: Counter(seed=seed))
    assert drive(searcher, 2) == ["012", "230"]
    assert searcher._study.trials[1].state == TrialState.PRUNED


def test_it_ends_when_it_repeats_itself() -> None:
    searcher = OptunaSearch(Line(3), fitness=Single(("x",)), sampler="random")
    assert sorted(drive(searcher, 10)) == ["0", "1", "2"]
    assert searcher.suggest("after") == Searcher.FINISHED


@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2"])
def test_samplers_by_name_stay_in_the_space(sampler: str) -> None:
    asked = drive(OptunaSearch(NatsTss(), fitness=Single(("x",)), sampler=sampler, seed=1), 30)
    assert len(asked) == 30
    assert all(arch in NatsTss() for arch in asked)


def test_an_unknown_sampler() -> None:
    with pytest.raises(UsageError) as caught:
        OptunaSearch(Grid(), fitness=Single(("x",)), sampler="tpee")
    assert str(caught.value) == (
        "Unknown sampler 'tpee'. Did you mean 'tpe'? Known: nsga2, random, tpe, or your own as module:name."
    )


def test_without_optuna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError) as caught:
        OptunaSearch(Grid(), fitness=Single(("x",)))
    assert str(caught.value) == (
        "The searcher optuna needs the package optuna, which is missing; run pip install optuna."
    )


def test_optuna_says_nothing_and_keeps_its_settings(capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    drive(OptunaSearch(Grid(), fitness=Single(("x",))), 15)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")
