from __future__ import annotations

import sys
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from ray.tune.search import Searcher

from nas_ray.errors import UsageError
from nas_ray.searchers import FilteredSpace, OptunaSearch, Single
from nas_ray.spaces import NatsTss, SettingSpace, settings_of
from nas_ray.testing import driving
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
        "Unknown sampler 'tpee'. Did you mean 'tpe'? Known: cmaes, gp, nsga2, random, tpe, or your own as "
        "module:name."
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


MIXED = SettingSpace("lr=log:0.01..1,flip=true/false,cutout=0..8:if:flip:true")


@pytest.mark.parametrize("sampler", ["tpe", "random", "gp", "cmaes"])
def test_samplers_take_ranges_and_conditions(sampler: str, capfd: pytest.CaptureFixture[str]) -> None:
    if sampler == "cmaes":
        pytest.importorskip("cmaes")

    def value(point: str) -> float:
        return -abs(float(settings_of(point)["lr"]) - 0.1)

    searcher = OptunaSearch(MIXED, fitness=Single(("x",)), sampler=sampler, seed=1)
    asked = driving.drive(searcher, 14, value=value)
    assert len(asked) == 14
    assert all(point in MIXED for point in asked)
    assert capfd.readouterr() == ("", "")
    places = [trial.params["lr"] for trial in searcher._study.trials]
    assert [MIXED.settings["lr"].texts[place] for place in places] == [settings_of(p)["lr"] for p in asked]


def test_tpe_learns_from_a_range() -> None:
    near = {
        seed: max(
            -abs(float(settings_of(point)["lr"]) - 0.1)
            for point in driving.drive(
                OptunaSearch(MIXED, fitness=Single(("x",)), seed=seed), 40,
                value=lambda point: -abs(float(settings_of(point)["lr"]) - 0.1),
            )[20:]
        )
        for seed in range(5)
    }  # fmt: skip
    assert sorted(near.values())[2] > -0.004


def test_what_a_search_is_given_joins_the_study() -> None:
    searcher = OptunaSearch(MIXED, fitness=Single(("x",)))
    point = "@lr=0.1,flip=true,cutout=3"
    searcher.add([{"arch": point, "x": 2.0}])
    (trial,) = searcher._study.trials
    assert trial.value == 2.0
    assert (MIXED.settings["lr"].texts[trial.params["lr"]], trial.params["flip"]) == ("0.1", "true")


def test_a_sampler_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        OptunaSearch(MIXED, fitness=Single(("x",)), sampler="cmaes")
    assert str(caught.value) == (
        "The sampler cmaes of optuna needs the package cmaes, which is missing; run pip install cmaes."
    )
