"""Ray's `Searcher` around any of ours, without Ray and in a plain `tune.Tuner`."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray.tune.result import DEFAULT_METRIC
from ray.tune.search import ConcurrencyLimiter, Searcher
from ray.tune.search.search_generator import SearchGenerator

from nas_ray.drivers import tune_searcher as module
from nas_ray.drivers.reported import row_of
from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_searcher import TuneSearcher
from nas_ray.errors import UsageError
from nas_ray.searchers import (
    ArchSearcher,
    FreeRea,
    Negated,
    Nsga2,
    RandomSearch,
    RankSum,
    RegularizedEvolution,
    Row,
    Single,
)
from nas_ray.searchers.freerea import SCORES
from nas_ray.searchers.messages import FINISHED
from nas_ray.spaces import NatsTss, SearchSpace
from tests.searchers.test_base import Script
from tests.searchers.toy import Grid, Line, value_of

OF_TUNE = {
    "trial_id": "0a", "date": "d", "timestamp": 1, "time_this_iter_s": 1.0, "time_total_s": 1.0, "pid": 7,
    "hostname": "h", "node_ip": "n", "config": {}, "config/arch": "a", "time_since_restore": 1.0,
    "iterations_since_restore": 1, "training_iteration": 1, "experiment_tag": "1_a", "done": True,
    "checkpoint_dir_name": None,
}  # fmt: skip


def test_it_is_a_searcher_of_ray_that_speaks_its_words() -> None:
    assert FINISHED == Searcher.FINISHED
    adapter = TuneSearcher(Script("a"))
    assert isinstance(adapter, Searcher)
    assert adapter.suggest("1") == {"arch": "a"}
    assert adapter.suggest("2") is None
    adapter.on_trial_complete("1", {"x": 1.0})
    assert adapter.suggest("2") == Searcher.FINISHED
    assert (adapter.metric, adapter.mode) == ("x", "max")  # of a fitness of one score


def several() -> RegularizedEvolution:
    return RegularizedEvolution(Line(30), fitness=RankSum(("x", "y")))


@pytest.mark.parametrize(
    ("make", "given", "told", "expected"),
    [
        (lambda: RandomSearch(Line()), ("loss", "min"), (None, None), ("loss", "min", Negated("loss"))),
        (lambda: RandomSearch(Line()), (), ("loss", "min"), ("loss", "min", Negated("loss"))),
        (lambda: RandomSearch(Line()), (), ("x", None), ("x", "max", Single(("x",)))),
        (lambda: Script(), ("loss",), ("x", "max"), ("loss", "max", Single(("loss",)))),
        (lambda: Script(), (), ("loss", "min"), ("loss", "min", Negated("loss"))),
        (lambda: Script(), (None, "min"), (None, None), ("x", "min", Negated("x"))),
        (several, (), ("loss", "min"), (None, "max", RankSum(("x", "y")))),
        (several, ("loss", "min"), (None, None), ("loss", "min", Negated("loss"))),
        (lambda: FreeRea(Grid()), (), ("loss", "min"), ("loss", "min", Negated("loss"))),
        (lambda: FreeRea(Grid()), (), (None, None), (None, "max", SCORES)),
        (lambda: Nsga2(Grid(), objectives="-a,b"), (), (None, None), ("a", "max", Negated("a"))),
    ],
)
def test_what_is_sought_is_said_once(
    make: Callable[[], ArchSearcher], given: tuple[Any, ...], told: tuple[Any, Any], expected: tuple[Any, ...]
) -> None:
    adapter = TuneSearcher(make(), *given)
    assert adapter.set_search_properties(*told, {}, num_samples=3)
    assert (adapter.metric, adapter.mode, adapter.arch_searcher.fitness) == expected


def test_objectives_follow_the_metric_unless_they_are_given() -> None:
    assert TuneSearcher(Nsga2(Grid()), "loss", "min").arch_searcher.objectives == [Negated("loss")]  # type: ignore[attr-defined]
    both = TuneSearcher(Nsga2(Grid(), objectives="-a,b"), "loss").arch_searcher
    assert both.objectives == [Negated("a"), Single(("b",))]  # type: ignore[attr-defined]


def test_without_a_metric_it_says_where_to_name_one() -> None:
    adapter = TuneSearcher(RandomSearch(Line()))
    with pytest.raises(UsageError, match=r"TuneSearcher\(\.\.\., metric=\.\.\.\), since Tune tells"):
        adapter.suggest("1")
    with pytest.raises(UsageError, match="must know what to maximise"):
        simulate(RandomSearch(Line()), lambda arch, report: None, num_samples=1)


@pytest.mark.parametrize(
    "wrapper", [None, lambda adapter: ConcurrencyLimiter(adapter, 2)], ids=["", "limited"]
)
def test_a_result_without_the_metric_does_not_end_the_run(wrapper: Any) -> None:
    """Tune compares the name in this way."""
    adapter: Searcher = TuneSearcher(Script(), "loss")
    insists = SearchGenerator(wrapper(adapter) if wrapper else adapter).metric != DEFAULT_METRIC
    assert not insists
    assert adapter.metric == "loss"
    assert adapter.metric != "x"
    assert {"loss": 1.0}[adapter.metric] == 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"metric": ["a", "b"]},
            "metric must be the name of one thing that trials report, got \\['a', 'b'\\]",
        ),
        ({"mode": "least"}, "mode must be 'max' or 'min', got 'least'"),
        ({"metric": "trial"}, "metric must be what trials report, and a row has trial of its own"),
        ({"metric": "error"}, "metric must be what trials report, and a row has error of its own"),
        ({"key": ""}, "key must be the name under which a config has its arch, got ''"),
    ],
)
def test_other_arguments_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=f"^{said}"):
        TuneSearcher(Script(), **given)
    with pytest.raises(UsageError, match="needs a metric, as a fitness of x, y is maximised"):
        TuneSearcher(several(), mode="min")


def test_the_arch_is_where_it_is_wanted() -> None:
    adapter = TuneSearcher(Script("a"), key="net")
    adapter.set_search_properties(None, None, {"arch": 3, "lr": 0.1})
    assert adapter.suggest("1") == {"net": "a"}  # Tune adds the rest


def test_a_row_is_what_the_trial_reported() -> None:
    searcher = Script("a", "b")
    adapter = TuneSearcher(searcher)
    for trial in "12":
        adapter.suggest(trial)
    adapter.on_trial_result("1", {"x": np.float32(1), **OF_TUNE})
    adapter.on_trial_complete("1", {"x": np.float32(2), **OF_TUNE})
    adapter.on_trial_complete("2", {"x": np.zeros(3), "y": 1, **OF_TUNE})
    assert searcher.history[0] == {"x": 2.0, "trial": 0, "arch": "a", "reused": False}
    assert searcher.history[1]["error"].startswith("the column 'x' of a row must be a number")
    json.dumps(searcher.events)


@pytest.mark.parametrize(
    ("result", "row"),
    [
        ({"x": 1.0, "images": np.zeros(3), "rows": [1], "score": 2}, {"x": 1.0, "score": 2}),
        ({"x": 1.0, "rows": [{"x": 2.0}], "score": 2}, {"x": 1.0, "score": 2}),
        ({"x": 1.0, "rows": 5}, {"x": 1.0}),
        ({"x": 1.0, 5: 2}, {"x": 1.0, "5": 2}),
        ({"x": math.nan}, {"x": math.nan, "error": "x is nan", "error_kind": "undefined"}),
        ({"y": 1}, {"y": 1, "error": "x: the trial did not report it, but y", "error_kind": "undefined"}),
        ({}, {"error": "the trial reported nothing", "error_kind": "undefined"}),
        ({"x": 1.0, "error": "out of memory"}, {"x": 1.0, "error": "out of memory"}),
        (
            {None: math.nan},
            {"error": "Repeater passes on one metric; name it in TuneSearcher(..., metric=...)"},
        ),
    ],
)
def test_a_report_without_its_metric_is_a_failed_row(result: dict[Any, Any], row: Row) -> None:
    told = row_of(result if None in result else {**result, **OF_TUNE}, ("x",))
    assert str({name: told[name] for name in row}) == str(row)
    assert set(told) <= {*row, "error_kind"}


def test_what_tune_measures_may_be_the_metric() -> None:
    assert row_of(OF_TUNE, ("time_total_s",)) == {"time_total_s": 1.0}


def test_trials_that_fail_are_rows_and_those_that_are_cancelled_are_not() -> None:
    searcher = Script("a", "b", "c", "d")
    adapter = TuneSearcher(searcher)
    for trial in "1234":
        adapter.suggest(trial)
    adapter.on_trial_complete("1", error=True)
    adapter.on_trial_complete("2", {})  # stopped before its first report
    adapter.on_trial_complete("3")  # and before it started
    adapter.on_trial_result("4", {"x": 3.0})
    adapter.on_trial_complete("4")  # stopped while it was paused
    assert [(row["arch"], row.get("error_kind"), row.get("x")) for row in searcher.rows_as_told()] == [
        ("a", "raised", None),
        ("d", None, 3.0),
    ]
    assert adapter.suggest("5") == Searcher.FINISHED  # none of them goes out again


def test_a_metric_that_nobody_reports_is_told_once() -> None:
    adapter = TuneSearcher(Script("a", "b"), "los")
    for trial in "12":
        adapter.suggest(trial)
    with pytest.warns(UserWarning, match="los: the trial did not report it, but loss"):
        adapter.on_trial_complete("1", {"loss": 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adapter.on_trial_complete("2", {"loss": 1.0})


def test_trials_of_others_are_left_alone() -> None:
    adapter = TuneSearcher(Script("a"))
    adapter.suggest("1")
    adapter.on_trial_result("2", {"x": 1.0})
    adapter.on_trial_complete("2", {"x": 1.0})
    for _ in range(2):
        adapter.on_trial_complete("1", {"x": 2.0})
    assert [event["event"] for event in adapter.arch_searcher.events] == ["ask", "tell"]


def test_a_subclass_that_listens_to_trials_is_heard() -> None:
    class Listens(Script):
        def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
            ended.append(trial_id)
            super().on_trial_complete(trial_id, result, error)

    ended: list[str] = []
    adapter = TuneSearcher(Listens("a"))
    adapter.suggest("1")
    adapter.on_trial_complete("1", {"x": 1.0})
    assert ended == ["1"]


@pytest.mark.parametrize("searcher", [None, RegularizedEvolution, TuneSearcher(Script("a"))])
def test_only_searchers_of_ours_need_it(searcher: Any) -> None:
    with pytest.raises(UsageError, match=r"^TuneSearcher takes a nas_ray.ArchSearcher, got "):
        TuneSearcher(searcher)


def evolution(space: SearchSpace | None = None) -> RegularizedEvolution:
    return RegularizedEvolution(space or NatsTss(), fitness=Single(("x",)), population=3, sample=2)


def go_on(adapter: Searcher, trials: range) -> list[str]:
    asked = []
    for number in trials:
        config = adapter.suggest(f"t{number}")
        assert isinstance(config, dict)
        asked.append(config["arch"])
        adapter.on_trial_complete(f"t{number}", {"x": value_of(config["arch"])})
    return asked


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "in a limiter"])
def test_restored_it_leaves_the_trials_that_were_under_way_to_tune(tmp_path: Path, wrapped: bool) -> None:
    def of_tune(adapter: TuneSearcher) -> SearchGenerator:
        return SearchGenerator(ConcurrencyLimiter(adapter, max_concurrent=4) if wrapped else adapter)

    whole = TuneSearcher(evolution())
    go_on(whole, range(6))
    under_way = [whole.suggest(name) for name in ("p", "q")]
    of_tune(whole).save_to_dir(str(tmp_path), "session")
    restored = of_tune(TuneSearcher(evolution()))
    restored.restore_from_dir(str(tmp_path))
    again = restored.searcher.searcher if wrapped else restored.searcher
    for adapter in (whole, again):
        for name, config in zip(("q", "p"), under_way[::-1], strict=True):
            assert isinstance(config, dict)
            adapter.on_trial_complete(name, {"x": value_of(config["arch"])})
    assert again.arch_searcher.events == whole.arch_searcher.events
    assert go_on(again, range(6, 12)) == go_on(whole, range(6, 12))


def test_what_a_searcher_saved_by_itself_is_restored(tmp_path: Path) -> None:
    first, second = TuneSearcher(evolution()), TuneSearcher(evolution())
    go_on(first, range(6))
    first.arch_searcher.save(str(tmp_path / "events"))
    second.restore(str(tmp_path / "events"))
    assert go_on(second, range(6, 9)) == go_on(first, range(6, 9))


def test_in_another_tuner_what_was_under_way_goes_out_again(tmp_path: Path) -> None:
    first, second = TuneSearcher(evolution(), "x"), TuneSearcher(evolution(), "x")
    go_on(first, range(4))
    under_way = [first.suggest(name) for name in ("p", "q")]
    first.save(str(tmp_path / "state"))
    second.restore(str(tmp_path / "state"))
    assert [second.suggest(name) for name in ("r", "s")] == under_way
    used = TuneSearcher(evolution(), "x")
    go_on(used, range(1))
    with pytest.raises(UsageError, match="must be new"):
        used.restore(str(tmp_path / "state"))
    (tmp_path / "state").write_text((tmp_path / "state").read_text()[:-9])
    with pytest.raises(
        UsageError, match="state must hold the state of a searcher as JSON, but it is damaged"
    ):
        TuneSearcher(evolution(), "x").restore(str(tmp_path / "state"))


def test_a_metric_of_a_tuner_is_checked_as_its_own() -> None:
    adapter = TuneSearcher(RandomSearch(NatsTss()))
    with pytest.raises(UsageError, match="a row has reused of its own"):
        adapter.set_search_properties("reused", "max", {})


@pytest.mark.parametrize(
    "state",
    ["{}", "null", "3", '{"events": 3}', '{"events": [1]}', "[" * 100_000, '[{"event": "tell", "trial": 0}]'],
)
def test_a_state_of_something_else_is_one_sentence(state: str, tmp_path: Path) -> None:
    (tmp_path / "state").write_text(state)
    with pytest.raises(UsageError, match="must hold the state of"):
        TuneSearcher(evolution(), "x").restore(str(tmp_path / "state"))
    with pytest.raises(UsageError, match="must hold the state of"):
        TuneSearcher(evolution(), "x").restore(str(tmp_path / "none"))


def test_what_tune_lost_is_waited_for_no_longer_than_it_may_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = TuneSearcher(Script("a", "b", "a", None))
    for name in ("lost", "there"):
        whole.suggest(name)
    whole.save_to_dir(str(tmp_path))
    restored = TuneSearcher(Script("a", "b", "a", None))
    restored.restore_from_dir(str(tmp_path))
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    restored.on_trial_complete("there", {"x": 1.0})
    assert restored.suggest("1") is None  # "a" is under way, as far as is known
    now += module.PATIENCE_S - 1
    assert restored.suggest("2") is None
    now += 1
    assert restored.suggest("3") == {"arch": "a"}
    restored.on_trial_complete("lost", {"x": 5.0})  # late
    restored.on_trial_complete("3", {"x": 2.0})
    assert restored.suggest("4") == Searcher.FINISHED
    rows = [
        (event["row"]["arch"], event["row"]["x"]) for event in restored.arch_searcher.events if "row" in event
    ]
    assert rows == [("b", 1.0), ("a", 2.0), ("a", 2.0)]


def test_a_tuner_that_named_the_metric_need_not_again(tmp_path: Path) -> None:
    def new() -> TuneSearcher:
        return TuneSearcher(RegularizedEvolution(Line(30), population=3, sample=2))

    whole, again = new(), new()
    whole.set_search_properties("x", "min", {"lr": 0.1})
    go_on(whole, range(6))
    whole.save_to_dir(str(tmp_path))
    again.restore_from_dir(str(tmp_path))
    assert (again.metric, again.mode) == ("x", "min")
    assert go_on(again, range(6, 12)) == go_on(whole, range(6, 12))
