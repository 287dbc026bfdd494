"""Our trials as trainables of Ray Tune: in this process, and in Tuners of somebody else's."""

from __future__ import annotations

import itertools
import math
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import nas_ray
from nas_ray.drivers.own_tuner import proxy_trial, training_trial
from nas_ray.drivers.plain_trial import EvaluationFailed
from nas_ray.drivers.plan import Budget, Plan
from nas_ray.drivers.tune_searcher import TuneSearcher
from nas_ray.errors import UsageError
from nas_ray.evaluation.on_images import scores_on, training_on
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.report.html_report import write_report
from nas_ray.rows import Row
from nas_ray.search.base import Experiment
from nas_ray.search.run_experiment import run_experiment
from nas_ray.searchers import LocalSearch, RandomSearch, RegularizedEvolution, Single
from nas_ray.spaces import NatsTss, Product
from nas_ray.spaces.base import SearchSpace
from nas_ray.training.recipes import parse_recipe
from tests.report.page import Page
from tests.training.toys import Bytes, TextNets

SPACE = NatsTss(channels=2, cells=1)
NONE = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
IMAGES = ImageDataModule("digits", batch_size=8)
RECIPE = "epochs:3:data_fraction=0.06,batch_size=16"
ARCH = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|none~1|none~2|"
OTHER = "|nor_conv_1x1~0|+|skip_connect~0|avg_pool_3x3~1|+|skip_connect~0|none~1|none~2|"
OF_TIME = ("seconds", "seconds_per_epoch", "worker", "error_kind")


def scored() -> Any:
    return proxy_trial(SPACE, "params,naswot", IMAGES)


def trained(**options: Any) -> Any:
    return training_trial(SPACE, RECIPE, IMAGES, **options)


def to_end(trial: Any) -> list[dict[str, Any]]:
    """Returns what a trial reports until it is done."""
    results = []
    while not results or not results[-1]["done"]:
        results.append(trial.train())
    return results


def told(result: Any, names: Any) -> Row:
    """Returns what a result says, without what differs from call to call."""
    return {name: result[name] for name in names if name not in OF_TIME}


def rows_of(space: SearchSpace, arch: str, recipe: str = RECIPE) -> list[Row]:
    """Returns the rows of a training without any driver."""
    return list(training_on(IMAGES, space, parse_recipe(recipe)).epochs(arch))


def test_scores_are_those_of_our_own_driver(tmp_path: Path) -> None:
    proxies = {name: PROXIES[name] for name in ("params", "naswot")}
    experiment = Experiment(
        space=SPACE,
        searcher=RandomSearch(SPACE, fitness=Single(("naswot",))),
        evaluator=scores_on(IMAGES, SPACE, proxies),
        budget=Budget(num_samples=3),
    )
    rows = run_experiment(experiment, Plan(driver="process"), tmp_path / "run").rows
    trial = scored()({"arch": ARCH})
    trial.train()
    for row in rows.to_dict("records"):
        trial.reset({"arch": row["arch"]})
        result = trial.train()
        assert told(result, ("arch", *proxies)) == told(row, ("arch", *proxies))
        assert (result["error"], result["error_kind"], result["done"]) == (None, None, True)
        assert result["seconds"] > 0


def test_a_training_reports_each_epoch_and_is_that_of_our_own() -> None:
    rows = rows_of(SPACE, ARCH)
    trial = trained()({"arch": OTHER})
    trial.train()  # which is left for the next arch
    trial.reset({"arch": ARCH})
    results = to_end(trial)
    assert [result["epochs"] for result in results] == [1, 2, 3]
    assert [told(result, rows[0]) for result in results] == [told(row, row) for row in rows]
    assert all(result["arch"] == ARCH for result in results)


def test_what_is_beside_the_arch_changes_the_recipe() -> None:
    point = f"{ARCH}@lr=0.03,epochs=2"
    (expected,) = rows_of(Product(SPACE, {"lr": "0.03", "epochs": "2"}), point)[-1:]
    beside = {"lr": np.float64(0.03), "epochs": 2, "__trial_index__": 1}
    results = to_end(trained()({"arch": ARCH, **beside}))
    assert len(results) == 2
    assert told(results[-1], expected) == told(expected, expected)
    of_space = training_trial(Product(SPACE, {"lr": "0.03", "epochs": "1..2"}), RECIPE, IMAGES)
    assert told(to_end(of_space({"arch": point}))[-1], expected) == told(expected, expected)
    assert len(to_end(trained()({"arch": ARCH, "epochs": 4}))) == 4


def test_a_checkpoint_goes_on_to_equal_numbers(tmp_path: Path) -> None:
    whole = to_end(trained(proxies="params")({"arch": ARCH, "lr": 0.05}))
    first = trained(proxies="params")({"arch": ARCH, "lr": 0.05})
    first.train()
    first.save(str(tmp_path))
    first.train()  # which the checkpoint must not see
    second = trained(proxies="params")({"arch": OTHER})
    second.train()
    second.reset({"arch": ARCH, "lr": 0.05})
    second.restore(str(tmp_path))
    rest = to_end(second)
    names = [
        name for name in whole[0] if name in ("params", "valid_acc", "valid_loss", "train_loss", "curve")
    ]
    assert len(names) == 5
    assert [told(result, names) for result in rest] == [told(result, names) for result in whole[1:]]
    assert rest[-1]["seconds"] > rest[0]["seconds"]


def test_a_checkpoint_before_the_first_epoch_is_a_beginning(tmp_path: Path) -> None:
    trained()({"arch": ARCH}).save(str(tmp_path))
    trial = trained()({"arch": ARCH})
    trial.restore(str(tmp_path))
    assert len(to_end(trial)) == 3


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (
            {"arch": OTHER},
            f"A training goes on from a checkpoint of its own arch {OTHER}, and this one is of",
        ),
        ({"arch": ARCH, "lr": 0.2}, f"A training of {ARCH} goes on from a checkpoint with the same recipe"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(config: Any, says: str, tmp_path: Path) -> None:
    first = trained()({"arch": ARCH})
    first.train()
    first.save(str(tmp_path))
    with pytest.raises(UsageError) as caught:
        trained()(config).restore(str(tmp_path))
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize("content", [b"", b"\x80\x02garbage", b"no file"])
def test_a_checkpoint_that_is_damaged_is_refused(content: bytes, tmp_path: Path) -> None:
    trial = trained()({"arch": ARCH})
    trial.train()
    trial.save(str(tmp_path))
    (tmp_path / "training.pt").write_bytes(content)
    with pytest.raises(
        UsageError, match=r"^The checkpoint must hold the training\.pt of a training, but cann"
    ):
        trial.restore(str(tmp_path))


def test_another_key_and_the_name_of_a_space() -> None:
    trial = proxy_trial("nats-tss", ["params", PROXIES["naswot"]], "digits", key="net", batch_size=8)
    result = trial({"net": ARCH}).train()
    assert (trial.__name__, result["arch"]) == ("ProxyTrial", ARCH)
    assert result["naswot"] > 0


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (
            {"net": ARCH},
            "The config of a trial must have its arch as 'arch', and has net; put it into param_",
        ),
        ({}, "The config of a trial must have its arch as 'arch', and has nothing; put it"),
        ({"arch": 3}, "The arch of a config must be a text, got 3 of type int."),
        (
            {"arch": "resnet"},
            "The arch of a config must be one of the space, got 'resnet'; an arch there read",
        ),
        ({"arch": ARCH, "lrr": 1}, "Unknown recipe option 'lrr'. Did you mean 'lr'?"),
        ({"arch": ARCH, "lr": "much"}, "The recipe option lr must be a number, got 'much'."),
        ({"arch": ARCH, "lr": [1]}, "The recipe option lr cannot be what was given: An option must be"),
        ({"arch": ARCH, "lr": -1.0}, "The recipe option lr must be"),
        (
            {"arch": ARCH, "valid_fraction": 0.1},
            "The option valid_fraction would measure trials on different",
        ),
    ],
)
def test_a_config_that_cannot_work_fails_its_trial_alone(config: Any, says: str) -> None:
    trial = trained()(config)
    with pytest.raises(UsageError) as caught:
        trial.train()
    assert str(caught.value).startswith(says)
    trial.reset({"arch": ARCH, "epochs": 1})
    assert trial.train()["done"]


def test_scores_have_no_settings() -> None:
    with pytest.raises(
        UsageError, match="^A score depends on the arch alone, and the config has lr, x beside"
    ):
        scored()({"arch": ARCH, "lr": 1, "x": 2}).train()


class Broken(NatsTss):
    """Nets that cannot be built."""

    def build(self, arch: str, num_classes: int) -> torch.nn.Module:
        raise RuntimeError("no such layer")


def test_an_undefined_score_is_nan_for_whatever_searches() -> None:
    trial = proxy_trial(SPACE, "naswot", IMAGES)({"arch": NONE})
    row = trial.train()
    assert math.isnan(row["naswot"])
    assert row["error_kind"] == "undefined"


@pytest.mark.parametrize("kind", ["scores", "training"])
def test_an_evaluation_that_fails_is_a_row_or_a_failed_trial(kind: str) -> None:
    def made(failures: str) -> Any:
        options = {"images": IMAGES, "failures": failures}
        if kind == "scores":
            return proxy_trial(Broken(), "params", **options)({"arch": ARCH})
        return training_trial(Broken(), RECIPE, **options)({"arch": ARCH})

    row = made("row").train()
    assert (row["error"], row["error_kind"], row["done"]) == ("RuntimeError: no such layer", "raised", True)
    assert math.isnan(row["params" if kind == "scores" else "valid_acc"])
    assert math.isnan(row["params" if kind == "scores" else "train_loss"])
    with pytest.raises(EvaluationFailed, match="^RuntimeError: no such layer$"):
        made("raise").train()


def test_a_task_of_another_kind_is_scored_and_trained() -> None:
    assert proxy_trial(TextNets(), "l2_norm", Bytes())({"arch": "mean-8"}).train()["l2_norm"] > 0
    assert training_trial(TextNets(), "epochs:1", Bytes())({"arch": "mean-8"}).train()["valid_acc"] > 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: proxy_trial("nats", "params", IMAGES), "Unknown search space 'nats'."),
        (
            lambda: proxy_trial(NatsTss, "params", IMAGES),
            "A space must be a name such as 'nats-tss', or have",
        ),
        (lambda: proxy_trial(SPACE, "naswott", IMAGES), "Unknown proxy 'naswott'. Did you mean 'naswot'?"),
        (lambda: proxy_trial(SPACE, (), IMAGES), "At least one proxy is needed; known: "),
        (
            lambda: proxy_trial(SPACE, "params", 3),
            "The images of a trial must be a source such as 'digits', a",
        ),  # type: ignore[arg-type]
        (
            lambda: proxy_trial(SPACE, "params", IMAGES, batch_size=3),
            "dataset, batch_size and batch_seed are",
        ),
        (
            lambda: proxy_trial(SPACE, "params", IMAGES, key=""),
            "key must name the arch in the config, such as",
        ),
        (
            lambda: proxy_trial(SPACE, "params", IMAGES, failures="x"),
            "failures must be row or raise, got 'x'.",
        ),
        (
            lambda: proxy_trial(SPACE, "params", IMAGES, timeout_s=0),
            "timeout_s must be larger than 0, got 0.",
        ),
        (lambda: training_trial(SPACE, "quick", IMAGES), "Unknown recipe 'quick'."),
        (lambda: training_trial(SPACE, 3, IMAGES), "A recipe must be a text such as 'epochs:4', or a Recipe"),  # type: ignore[arg-type]
        (lambda: proxy_trial(SPACE, pid, IMAGES), "A proxy cannot be named 'pid', which Ray Tune reports it"),
    ],
)
def test_an_argument_that_cannot_work_is_told_at_once(make: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value).startswith(says)


def pid(net: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
    return 1.0


def threads(net: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
    """Returns with how many threads it computes."""
    return float(torch.get_num_threads())


def of_searcher(make: Any, metric: str) -> Any:
    options = {} if make is LocalSearch else {"population": 2, "sample": 1}
    return TuneSearcher(make(SPACE, fitness=Single((metric,)), **options))


def search_of(name: str, metric: str) -> tuple[dict[str, Any], Any, int]:
    """Returns param_space, search algorithm and number of samples."""
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    archs = [str(SPACE.sample(np.random.default_rng(seed))) for seed in range(4)]
    if name == "grid":
        return {"arch": tune.grid_search(archs[:2])}, None, 1
    if name == "random":
        return {"arch": tune.choice(archs)}, None, 2
    if name == "optuna":
        return {"arch": tune.choice(archs)}, OptunaSearch(seed=0), 2
    return {}, of_searcher({"rea": RegularizedEvolution, "local": LocalSearch}[name], metric), 2


def check_tuner(trial: str, search: str, scheduler: str, folder: Path) -> None:
    """Runs a Tuner and compares what came with evaluations without any driver."""
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    metric = "naswot" if trial == "scores" else "valid_acc"
    space, alg, num_samples = search_of(search, metric)
    early = ASHAScheduler(max_t=3, grace_period=1, reduction_factor=2) if scheduler == "asha" else None
    results = tune.Tuner(
        scored() if trial == "scores" else trained(),
        param_space=space,
        tune_config=tune.TuneConfig(
            metric=metric,
            mode="max",
            search_alg=alg,
            scheduler=early,
            num_samples=num_samples,
            max_concurrent_trials=1,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0),
    ).fit()
    table = results.get_dataframe()
    assert len(table) == 2
    assert results.num_errors == 0
    for row in table.to_dict("records"):
        if trial == "scores":
            rows: list[Row] = []
            scores_on(IMAGES, SPACE, {"naswot": PROXIES["naswot"]})(row["arch"], rows.append)
            assert row["naswot"] == rows[-1]["naswot"]
        else:
            assert row["training_iteration"] == row["epochs"]
            assert row["valid_loss"] == rows_of(SPACE, row["arch"])[row["epochs"] - 1]["valid_loss"]
    if alg is not None and isinstance(alg, TuneSearcher):
        asked = [row["arch"] for row in alg.arch_searcher.history]
        assert asked == table["arch"].tolist()
        if trial == "scores":  # of which a scheduler can stop none
            same = of_searcher(type(alg.arch_searcher), metric).arch_searcher
            scores = scores_on(IMAGES, SPACE, {"naswot": PROXIES["naswot"]})
            assert nas_ray.simulate(same, scores, num_samples=2)["arch"].tolist() == asked


MATRIX = list(
    itertools.product(("scores", "training"), ("grid", "random", "optuna", "rea", "local"), ("fifo", "asha"))
)
BY_DAY = [
    ("scores", "rea", "fifo"),
    ("training", "optuna", "asha"),
]


@pytest.mark.parametrize(("trial", "search", "scheduler"), BY_DAY)
def test_a_tuner_of_anybodys(
    trial: str, search: str, scheduler: str, ray_started: None, tmp_path: Path
) -> None:
    check_tuner(trial, search, scheduler, tmp_path)


@pytest.mark.slow(faster="test_a_tuner_of_anybodys")
@pytest.mark.parametrize(("trial", "search", "scheduler"), [case for case in MATRIX if case not in BY_DAY])
def test_every_search_and_scheduler(
    trial: str, search: str, scheduler: str, ray_started: None, tmp_path: Path
) -> None:
    check_tuner(trial, search, scheduler, tmp_path)


@pytest.mark.slow(faster="test_a_tuner_of_anybodys")
def test_resources_failures_and_a_search_of_ours(ray_started: None, tmp_path: Path) -> None:
    from ray import tune

    trial = tune.with_resources(proxy_trial(SPACE, threads, IMAGES), {"cpu": 2})
    results = tune.Tuner(
        trial,
        param_space={"arch": tune.grid_search([ARCH, "resnet", OTHER])},
        run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0),
    ).fit()
    table = results.get_dataframe()
    assert table["threads"].dropna().tolist() == [2.0, 2.0]
    (error,) = results.errors
    page = Page(write_report([Path(results.experiment_path)]))
    assert (page.facts["evaluations"], page.facts["fitness"]) == ("3, 1 failed", "threads")
    assert "must be one of the space, got" in (Path(results.experiment_path) / "report.html").read_text()
    assert "The arch of a config must be one of the space, got 'resnet'" in str(error)


@pytest.mark.slow(faster="test_a_checkpoint_goes_on_to_equal_numbers")
def test_paused_and_killed_trainings_go_on(ray_started: None, tmp_path: Path) -> None:
    from ray import tune
    from ray.tune.schedulers import HyperBandScheduler

    class Kills(tune.Callback):  # type: ignore[misc]
        """Kills a worker after its second epoch, once."""

        killed = False

        def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
            if not self.killed and result["arch"] == ARCH and result["epochs"] == 2:
                self.killed = True
                os.kill(result["pid"], signal.SIGKILL)

    kills = Kills()
    results = tune.Tuner(
        trained(),
        param_space={"arch": tune.grid_search([ARCH, OTHER])},
        tune_config=tune.TuneConfig(
            metric="valid_acc",
            mode="max",
            scheduler=HyperBandScheduler(max_t=3, reduction_factor=3),
            max_concurrent_trials=2,
        ),
        run_config=tune.RunConfig(
            storage_path=str(tmp_path),
            verbose=0,
            callbacks=[kills],
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1, num_to_keep=1),
            failure_config=tune.FailureConfig(max_failures=2),
        ),
    ).fit()
    assert kills.killed
    assert results.num_errors == 0
    assert len(results) == 2
    for result in results:
        expected = rows_of(SPACE, result.metrics["arch"])[result.metrics["epochs"] - 1]
        assert told(result.metrics, expected) == told(expected, expected)
    best = results.get_best_result()
    assert best.checkpoint is not None
    (more,) = [result for result in results if result.metrics["arch"] == ARCH]
    assert more.metrics["epochs"] >= 2
    again = trained()({"arch": best.metrics["arch"]})
    with best.checkpoint.as_directory() as folder:
        again.load_checkpoint(folder)
    last = again.train()
    expected = rows_of(SPACE, best.metrics["arch"])
    assert last["curve"] in [row["curve"] for row in expected]
    assert last["epochs"] >= best.metrics["epochs"]


def test_they_are_public() -> None:
    assert nas_ray.proxy_trial is proxy_trial
    assert nas_ray.training_trial is training_trial
