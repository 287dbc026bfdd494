"""Our searchers in a `tune.Tuner` of one's own, whatever the trainable, the wrapper and the scheduler."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray import tune
from ray.tune.schedulers import ASHAScheduler, HyperBandScheduler, MedianStoppingRule
from ray.tune.search import ConcurrencyLimiter, Repeater, Searcher
from ray.tune.utils.util import flatten_dict

from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.trainable import ArchTrial
from nas_ray.drivers.tune_searcher import TuneSearcher
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.proxies import PROXIES
from nas_ray.searchers import SEARCHERS, ArchSearcher, RegularizedEvolution, Row, Single
from nas_ray.spaces import NatsTss
from tests.searchers.test_base import Script
from tests.searchers.toy import Line, options_of, value_of

SPACE = NatsTss()


def function(config: dict[str, Any]) -> None:
    """Trains for two epochs, and says after each how it stands."""
    for epoch in (1, 2):
        tune.report({"loss": -value_of(config["arch"]) / epoch, "lr": config["lr"]})


class Trained(tune.Trainable):  # type: ignore[misc]
    """The same as a class."""

    def setup(self, config: dict[str, Any]) -> None:
        self.config_now, self.epoch = config, 0

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        self.epoch += 1
        value = -value_of(self.config_now["arch"]) / self.epoch
        return {"loss": value, "lr": self.config_now["lr"], "done": self.epoch == 2}

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, int]:
        return {"epoch": self.epoch}

    def load_checkpoint(self, checkpoint: dict[str, int]) -> None:
        self.epoch = checkpoint["epoch"]


TRAINABLES: dict[str, Any] = {"function": function, "class": Trained}


def searcher_of(name: str, **given: Any) -> ArchSearcher:
    make = SEARCHERS[name]
    few = {
        "rea": {"population": 3, "sample": 2},
        "nsga2": {"population": 3},
        "freerea": {"population": 3, "sample": 2},
    }
    return make(SPACE, seed=1, **few.get(name, {}), **options_of(make), **given)


def asked(searcher: ArchSearcher) -> list[str]:
    return [event["arch"] for event in searcher.events if event["event"] == "ask"]


def simulated(name: str, count: int) -> list[str]:
    """Returns the archs of our own driver with one trial in flight."""

    def evaluate(arch: str, report: Callable[[Row], None]) -> None:
        report({"gain": value_of(arch) / 2})

    table = simulate(searcher_of(name, fitness=Single(("gain",))), evaluate, num_samples=count)
    return [str(arch) for arch in table["arch"]]


def reports(kind: str, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns what Tune hands on of a trial: a function that returns has its last report told again."""
    said = [{"loss": -value_of(config["arch"]) / epoch, "training_iteration": epoch} for epoch in (1, 2)]
    last = {**said[-1], "done": True, "config": config}
    return [*said, last] if kind == "function" else [said[0], last]


@pytest.mark.parametrize("kind", TRAINABLES)
@pytest.mark.parametrize("name", SEARCHERS)
def test_every_searcher_speaks_with_tune_as_with_our_own_driver(name: str, kind: str) -> None:
    adapter = TuneSearcher(searcher_of(name), "loss", "min")
    limited = ConcurrencyLimiter(adapter, max_concurrent=1)
    limited.set_search_properties(None, None, {"lr": tune.uniform(0, 1)})
    for number in range(12):
        config = limited.suggest(str(number))
        if config in (None, Searcher.FINISHED):
            break
        assert limited.suggest("one more") is None
        *before, last = (flatten_dict(report) for report in reports(kind, config))
        for report in before:
            limited.on_trial_result(str(number), report)
        limited.on_trial_complete(str(number), last)
    archs = asked(adapter.arch_searcher)
    assert len(archs) >= 12 or config == Searcher.FINISHED
    assert archs == simulated(name, len(archs))
    assert all(row["loss"] == -value_of(row["arch"]) / 2 for row in adapter.arch_searcher.rows_as_told())


def run(trainable: Any, adapter: Searcher, folder: Path, *, lr: Any = 0.1, **config: Any) -> tune.ResultGrid:
    settings = config.pop("settings", {})
    return tune.Tuner(
        trainable,
        param_space={} if lr is None else {"lr": lr},
        tune_config=tune.TuneConfig(search_alg=adapter, reuse_actors=True, **{"num_samples": 4, **config}),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0, **settings),
    ).fit()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(
            name,
            kind,
            marks=()
            if (name, kind) in [("rea", "function")]
            else pytest.mark.slow(faster="test_every_searcher_speaks_with_tune_as_with_our_own_driver"),
        )
        for name in SEARCHERS
        for kind in TRAINABLES
    ],
)
def test_every_searcher_runs_in_a_tuner(ray_started: None, tmp_path: Path, name: str, kind: str) -> None:
    adapter = TuneSearcher(searcher_of(name))
    results = run(
        tune.with_resources(TRAINABLES[kind], {"cpu": 0.5}),
        adapter,
        tmp_path,
        lr=tune.loguniform(0.01, 1),
        metric="loss",
        mode="min",
        max_concurrent_trials=1,
    )
    archs = asked(adapter.arch_searcher)
    assert not results.num_errors
    assert archs == simulated(name, len(archs))
    rows = {row["arch"]: row for row in adapter.arch_searcher.rows_as_told()}
    assert len(results) == len(rows) == 4
    for result in results:
        row = rows[result.config["arch"]]
        assert row["loss"] == result.metrics["loss"] == -value_of(row["arch"]) / 2
        assert row["lr"] == result.config["lr"]
    assert len({row["lr"] for row in rows.values()}) == 4
    assert results.get_best_result().metrics["loss"] == min(row["loss"] for row in rows.values())


def broken(config: dict[str, Any]) -> None:
    """Ends as its arch is called."""
    if config["arch"] == "raises":
        raise RuntimeError("on purpose")
    if config["arch"] != "silent":
        tune.report({"nan": {"loss": math.nan}, "other": {"lost": 1.0}}.get(config["arch"], {"loss": 1.0}))


def test_trials_that_fail_are_failed_rows_and_the_search_goes_on(ray_started: None, tmp_path: Path) -> None:
    adapter = TuneSearcher(Script("raises", "silent", "nan", "other", "good"), "loss")
    with pytest.warns(UserWarning, match="the trial reported nothing"):
        results = run(broken, adapter, tmp_path, lr=None, num_samples=-1, max_concurrent_trials=1)
    assert (len(results), results.num_errors) == (5, 1)
    kinds = {row["arch"]: row.get("error_kind") for row in adapter.arch_searcher.rows_as_told()}
    assert kinds == {
        "raises": "raised",
        "silent": "undefined",
        "nan": "undefined",
        "other": "undefined",
        "good": None,
    }


def test_a_bare_searcher_says_that_it_must_be_wrapped(ray_started: None, tmp_path: Path) -> None:
    for lr in (None, 0.1):
        with pytest.raises(UsageError, match=r"search_alg=nas_ray\.TuneSearcher\(RandomSearch\(\.\.\."):
            run(function, searcher_of("random_search"), tmp_path, lr=lr)


SCHEDULERS: dict[str, Callable[[], Any]] = {
    "asha": lambda: ASHAScheduler(metric="loss", mode="min", max_t=2, grace_period=1, reduction_factor=2),
    "hyperband": lambda: HyperBandScheduler(metric="loss", mode="min", max_t=2, reduction_factor=2),
    "median": lambda: MedianStoppingRule(metric="loss", mode="min", grace_period=1, min_samples_required=2),
}


@pytest.mark.parametrize(
    "name",
    [
        "asha",
        pytest.param(
            "hyperband", marks=pytest.mark.slow(faster="test_what_a_scheduler_stopped_has_its_last_row")
        ),
        pytest.param(
            "median", marks=pytest.mark.slow(faster="test_what_a_scheduler_stopped_has_its_last_row")
        ),
    ],
)
def test_what_a_scheduler_stopped_has_its_last_row(ray_started: None, tmp_path: Path, name: str) -> None:
    """Archs come from the best to the worst."""
    adapter = TuneSearcher(Script("9", "5", "3", "1"), "loss", "min")
    run(Trained, adapter, tmp_path, scheduler=SCHEDULERS[name](), max_concurrent_trials=4)
    rows = {row["arch"]: row["loss"] for row in adapter.arch_searcher.rows_as_told()}
    assert set(rows) == {"9", "5", "3", "1"}
    assert all(rows[arch] in (-float(arch), -float(arch) / 2) for arch in rows)
    if name == "asha":
        assert rows["1"] == -1.0  # stopped after one epoch
    assert not adapter.arch_searcher.trials_in_flight


def waits(config: dict[str, Any]) -> None:
    """Reports until it is stopped."""
    import time

    while True:
        time.sleep(0.1)
        tune.report({"loss": float(config["arch"])})


@pytest.mark.slow(faster="test_what_a_scheduler_stopped_has_its_last_row")
def test_a_budget_of_seconds_and_a_condition_end_trials(ray_started: None, tmp_path: Path) -> None:
    adapter = TuneSearcher(Script(*"12345"), "loss", "min")
    run(waits, adapter, tmp_path, num_samples=3, settings={"stop": {"training_iteration": 2}})
    assert [row["loss"] for row in adapter.arch_searcher.rows_as_told()] == [1.0, 2.0, 3.0]
    adapter = TuneSearcher(Script(*"12345"), "loss", "min")
    run(waits, adapter, tmp_path, num_samples=-1, time_budget_s=4, max_concurrent_trials=2)
    assert adapter.arch_searcher.num_asked == 2
    assert not adapter.arch_searcher.rows_as_told()  # Tune tells nothing of what it cancels


def test_repeated_trials_are_one_row_with_their_mean(ray_started: None, tmp_path: Path) -> None:
    def noisy(config: dict[str, Any]) -> None:
        tune.report({"loss": float(config["arch"]) + config["__trial_index__"]})

    adapter = TuneSearcher(Script("1", "4"), "loss", "min")
    results = run(noisy, Repeater(adapter, repeat=2), tmp_path)
    assert len(results) == 4
    assert [(row["arch"], row["loss"]) for row in adapter.arch_searcher.rows_as_told()] == [
        ("1", 1.5),
        ("4", 4.5),
    ]


@pytest.mark.slow(faster="test_scores_are_those_of_our_own_driver")
def test_our_own_trial_runs_there_as_well(ray_started: None, tmp_path: Path) -> None:
    space = NatsTss(channels=4, cells=1)
    inputs = np.random.default_rng(0).normal(size=(8, 3, 16, 16)).astype(np.float32)
    evaluator = ProxyScores(space, 10, inputs, np.arange(8) % 10, {"naswot": PROXIES["naswot"]})
    searcher = RegularizedEvolution(space, fitness=Single(("naswot",)), population=3, sample=2)
    run(tune.with_parameters(ArchTrial, evaluator=evaluator), TuneSearcher(searcher), tmp_path, lr=None)
    rows = searcher.rows_as_told()
    assert len(rows) == 4
    assert {"naswot", "seconds", "worker"} <= set(rows[0])
    expected: list[Row] = []
    evaluator(rows[0]["arch"], expected.append)
    assert rows[0]["naswot"] == expected[0]["naswot"]


def objective(config: dict[str, Any]) -> None:
    tune.report({"loss": (float(config["arch"]) - 7) ** 2 + config["param"]})


@pytest.mark.slow(faster="test_repeated_trials_are_one_row_with_their_mean")
def test_an_example_of_ray_with_one_of_its_searchers_runs_with_ours(
    ray_started: None, tmp_path: Path
) -> None:
    """Metric and mode in `TuneConfig`, a space beside; what was learnt is saved, restored and used again."""

    def tuner(search_alg: Searcher) -> tune.Tuner:
        return tune.Tuner(
            objective,
            tune_config=tune.TuneConfig(
                search_alg=search_alg,
                num_samples=2,
                metric="loss",
                mode="min",
                reuse_actors=True,  # the one thing that is ours: a process for each trial takes seconds
            ),
            param_space={"param": tune.uniform(0, 1)},
            run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0),
        )

    search_alg = TuneSearcher(RegularizedEvolution(Line(30), population=2, sample=2))
    results = tuner(search_alg).fit()
    assert results.get_best_result().metrics["loss"] == min(r.metrics["loss"] for r in results)
    search_alg.save(str(tmp_path / "my-checkpoint.pkl"))

    search_alg2 = TuneSearcher(RegularizedEvolution(Line(30), population=2, sample=2))
    search_alg2 = ConcurrencyLimiter(search_alg2, max_concurrent=1)
    search_alg2.restore(str(tmp_path / "my-checkpoint.pkl"))
    tuner(search_alg2).fit()
    events = search_alg2.searcher.arch_searcher.events
    assert events[: len(search_alg.arch_searcher.events)] == search_alg.arch_searcher.events
    assert len({event["arch"] for event in events if event["event"] == "ask"}) == 4

    search_alg3 = TuneSearcher(RegularizedEvolution(Line(30), population=2, sample=2))
    search_alg3.restore_from_dir(results.experiment_path)
    assert search_alg3.arch_searcher.events == search_alg.arch_searcher.events


class Climb(ArchSearcher):
    """A custom searcher as Ray's page on them shows one: it asks an optimizer, and tells it what came."""

    def ask(self) -> str:
        best = max(
            self.history, key=lambda row: self.fitness_of([self.position(row["arch"])])[0], default=None
        )
        return str(self.rng.choice(self.space.neighbors(best["arch"]))) if best else "15"  # type: ignore[attr-defined]


def test_a_custom_searcher_of_a_user_is_a_custom_searcher_of_ray(ray_started: None, tmp_path: Path) -> None:
    adapter = TuneSearcher(Climb(Line(30)), metric="mean_loss", mode="min")

    def far(config: dict[str, Any]) -> None:
        tune.report({"mean_loss": abs(float(config["arch"]) - 3)})

    results = run(far, adapter, tmp_path, lr=None, num_samples=5, max_concurrent_trials=1)
    assert min(result.metrics["mean_loss"] for result in results) < 12
