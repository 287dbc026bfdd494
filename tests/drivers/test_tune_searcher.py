"""Ray's `Searcher` around any of ours, without Ray and in a plain `tune.Tuner`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray.tune.search import ConcurrencyLimiter, Searcher
from ray.tune.search.search_generator import SearchGenerator

from nas_ray.drivers.tune_searcher import TuneSearcher
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.proxies import PROXIES
from nas_ray.searchers import RegularizedEvolution, Row, Single
from nas_ray.searchers.messages import FINISHED
from nas_ray.spaces import NatsTss, SearchSpace
from tests.searchers.test_base import Script
from tests.searchers.toy import Line, value_of

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
    assert (adapter.metric, adapter.mode) == (None, None)
    named = TuneSearcher(Script("a"), metric="x")
    assert (named.metric, named.mode) == ("x", "max")


def test_a_row_is_what_the_trial_reported() -> None:
    searcher = Script("a", "b")
    adapter = TuneSearcher(searcher)
    for trial in "12":
        adapter.suggest(trial)
    adapter.on_trial_result("1", {"x": np.float32(1), **OF_TUNE})
    adapter.on_trial_complete("1", {"x": np.float32(2), **OF_TUNE})
    adapter.on_trial_complete("2", {"x": np.zeros(3), **OF_TUNE})
    assert searcher.history[0] == {"x": 2.0, "trial": 0, "arch": "a", "reused": False}
    assert searcher.history[1]["error"].startswith("the column 'x' of a row must be a number")
    json.dumps(searcher.events)


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


def test_a_tuner_of_ones_own_takes_any_searcher_and_trainable(ray_started: None, tmp_path: Path) -> None:
    from ray import tune

    from nas_ray.drivers.trainable import ArchTrial

    def run(trainable: Any, searcher: RegularizedEvolution, **space: Any) -> list[Row]:
        tune.Tuner(
            trainable,
            param_space=space,
            tune_config=tune.TuneConfig(
                search_alg=ConcurrencyLimiter(TuneSearcher(searcher), max_concurrent=2), num_samples=6
            ),
            run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0),
        ).fit()
        return searcher.rows_as_told()

    def train(config: dict[str, Any]) -> None:
        tune.report({"x": config["factor"] * float(config["arch"])})

    searcher = evolution(Line(30))
    rows = run(train, searcher, factor=2.0)
    assert len(rows) == 6
    assert {name for row in rows for name in row} == {"x", "trial", "arch", "reused"}
    assert all(row["x"] == 2.0 * float(row["arch"]) for row in rows)

    space = NatsTss(channels=4, cells=1)
    inputs = np.random.default_rng(0).normal(size=(8, 3, 16, 16)).astype(np.float32)
    evaluator = ProxyScores(space, 10, inputs, np.arange(8) % 10, {"naswot": PROXIES["naswot"]})
    rows = run(
        tune.with_parameters(ArchTrial, evaluator=evaluator),
        RegularizedEvolution(space, fitness=Single(("naswot",)), population=3, sample=2),
    )
    assert len(rows) == 6
    assert {"naswot", "seconds", "worker"} <= set(rows[0])
    expected: list[Row] = []
    evaluator(rows[0]["arch"], expected.append)
    assert rows[0]["naswot"] == expected[0]["naswot"]
