"""What a program hands over that cannot work is refused in one sentence, before anything is done with it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nas_ray
from nas_ray.drivers.keeping import StateKeeper
from nas_ray.errors.checks import TEXT, Kind, having, real, whole
from nas_ray.evaluation.epoch_training import EpochTraining
from nas_ray.images.sources import open_images
from nas_ray.searchers import RandomSearch, Single
from nas_ray.searchers.named import make_searcher
from nas_ray.spaces import NatsTss, Product
from nas_ray.spaces.setting_kinds import Choice
from nas_ray.training.recipes import RECIPES, parse_recipe

SPACE, FITNESS = NatsTss(), Single(("x",))


class Bare(nas_ray.Task):
    """A task that says nothing."""


class Evaluates:
    def __call__(self, arch: str, report: Callable[[dict[str, Any]], None]) -> None:
        report({"x": 1.0})


def searcher() -> RandomSearch:
    return RandomSearch(SPACE, fitness=FITNESS)


def quiet(arch: str, report: object) -> None:
    """An evaluator that reports nothing."""


def kept_every(value: Any) -> StateKeeper:
    one = searcher()
    one.keep_every = value
    return StateKeeper(Path("nowhere"), one)


TRAINED = "loaders, loss, metric"
# ruff: noqa: E501
GIVEN: list[tuple[str, Callable[[], object], str]] = [
    ("driver", lambda: nas_ray.Plan(driver=None), "driver must be ray or process, got None."),
    ("cores", lambda: nas_ray.Plan(cpus="2"), "cpus must be a number of at least 0, got '2'."),
    ("many", lambda: nas_ray.Plan(archs_per_trial=0), "archs_per_trial must be a whole number of at least 1, got 0."),
    ("scheduler", lambda: nas_ray.Plan(scheduler="asha"), "scheduler must be callable or None, got 'asha'."),
    ("budget", lambda: nas_ray.Budget("x"), "num_samples must be a whole number of at least 0 or None, got 'x'."),
    ("truth", lambda: nas_ray.Budget(True), "num_samples must be a whole number of at least 0 or None, got True."),
    ("seconds", lambda: nas_ray.Budget(1, np.nan), "seconds must be a number of at least 0 or None, got nan."),
    ("listener", lambda: nas_ray.Listeners("x"), "on_event must be callable or None, got 'x'."),
    ("setting", lambda: Product(SPACE, {"lr": 0.1}), "The setting lr must be a text such as '0.01..1', a Choice, an Interval or a Conditional, got 0.1."),
    ("settings", lambda: Product(SPACE, None), "settings must be a text such as 'lr=0.01..1', or what each may be by its name, got None."),
    ("names", lambda: Product(SPACE, {1: "2..3"}), "Settings must have names such as lr, got 1."),
    ("product", lambda: Product("nats-tss", "lr=1/2"), "space must be a search space with sample and build, got 'nats-tss'."),
    ("choice", lambda: Choice(5), "options must be a list of values, got 5."),
    ("letters", lambda: Choice("abc"), "options must be a list of values, got 'abc'."),
    ("option", lambda: Choice([None]), "An option must be a number, a word or a truth value, got None."),
    ("keep_every", lambda: kept_every("5"), "keep_every must be a whole number of at least 1, got '5'."),
    ("no searcher", lambda: nas_ray.simulate(None, Evaluates()), "searcher must be a searcher, a nas_ray.ArchSearcher, got None."),
    ("no evaluator", lambda: nas_ray.simulate(searcher(), 5), "evaluator must be an evaluator, called as evaluator(arch, report), got 5."),
    ("class", lambda: nas_ray.simulate(searcher(), Evaluates), "evaluator must be an evaluator, called as evaluator(arch, report), got the class Evaluates."),
    ("workers", lambda: nas_ray.simulate(searcher(), quiet, workers=1.5), "workers must be a whole number of at least 1, got 1.5."),
    ("tune", lambda: nas_ray.tune_search(searcher(), None, folder=Path()), "evaluator must be an evaluator, called as evaluator(arch, report), got None."),
    ("experiment", lambda: nas_ray.Experiment(space=SPACE, searcher=searcher(), evaluator=quiet, budget=5), "budget must be a Budget, got 5."),
    ("run", lambda: nas_ray.run_experiment(None, nas_ray.Plan(), ""), "experiment must be an Experiment, got None."),
    ("space", lambda: RandomSearch(5, fitness=FITNESS), "space must be a search space with sample and build, got 5."),
    ("space class", lambda: RandomSearch(NatsTss, fitness=FITNESS), "space must be a search space with sample and build, got the class NatsTss."),
    ("fitness", lambda: RandomSearch(SPACE, fitness="x"), "fitness must be callable, got 'x'."),
    ("task", lambda: nas_ray.ShortTraining.of_task(SPACE, Bare(), RECIPES["fast"]), f"task must be a task with num_outputs, metric_name, {TRAINED}, got a Bare without num_outputs, {TRAINED}."),
    ("scored task", lambda: nas_ray.ProxyScores.of_task(SPACE, object(), {}), "task must be a task with num_outputs, minibatch, loss, got an object without num_outputs, minibatch, loss."),
    ("recipe", lambda: nas_ray.ShortTraining.of_task(SPACE, Bare(), "fast"), None),
    ("named proxies", lambda: nas_ray.ProxyScores(SPACE, 2, None, None, ["naswot"]), "proxies must be proxies by name, such as resolve_proxies(['naswot']) returns, got ['naswot']."),
    ("proxies", lambda: nas_ray.resolve_proxies("naswot"), "Proxies must be a list of names and functions, got 'naswot'; write ['naswot'] for one."),
    ("proxy", lambda: nas_ray.resolve_proxies([5]), "A proxy must be a name or a function, got 5."),
    ("factory", lambda: EpochTraining(5, epochs=1, kind=""), "factory must be callable or None, got 5."),
    ("epochs", lambda: EpochTraining(quiet, epochs="2", kind=""), "epochs must be a whole number of at least 1, got '2'."),
    ("space name", lambda: nas_ray.open_space(None), "The name of a space must be a string, got None."),
    ("benchmark", lambda: nas_ray.open_benchmark(None, "cifar10"), "spec must be a path, got None."),
    ("images", lambda: open_images(None, "cifar10"), "spec must be a string, got None."),
    ("fitness text", lambda: nas_ray.parse_fitness(5, ["x"]), "A fitness must be a string or None, got 5."),
    ("recipe text", lambda: parse_recipe(4), "A recipe must be a string, got 4."),
    ("net", lambda: nas_ray.load(None), "path must be a path, got None."),
    ("no class", lambda: make_searcher(5), None),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), [case[1:] for case in GIVEN], ids=[case[0] for case in GIVEN])
def test_an_argument_of_a_wrong_kind_is_refused_in_a_sentence(
    call: Callable[[], object], said: str | None
) -> None:
    with pytest.raises(nas_ray.UsageError) as told:
        call()
    assert (
        str(told.value) == said
        if said
        else re.fullmatch(r"[^\n]* must be [^\n]*got [^\n]*\.", str(told.value))
    )


def test_numbers_of_numpy_are_numbers() -> None:
    plan = nas_ray.Plan(max_concurrent=np.int64(2), gpus_per_trial=np.float32(0.5))
    assert plan.max_concurrent == 2
    assert nas_ray.Budget(np.int64(3), np.float64(2)).spent(3, 0)


def test_what_fits_goes_on() -> None:
    for kind, value in ((whole(0), 0), (real(1, above=True), 1.5), (TEXT.or_none, None)):
        kind.check("it", value)


def test_an_object_is_told_by_what_it_lacks_and_not_by_its_address() -> None:
    with pytest.raises(
        nas_ray.UsageError, match=r"^it must be a space with sample, build, got an object with"
    ):
        having(nas_ray.SearchSpace, "a space").check("it", object())
    with pytest.raises(nas_ray.UsageError, match=r"^it must be large, got an Evaluates; buy another\.$"):
        Kind("large", lambda value: False, "buy another").check("it", Evaluates())
    with pytest.raises(nas_ray.UsageError, match=r"build or None, got an object without sample, build"):
        having(nas_ray.SearchSpace, "a space").or_none.check("it", object())


def test_a_search_may_have_all_the_time_there_is() -> None:
    assert not nas_ray.Budget(seconds=math.inf).spent(0, 1e9)
    with pytest.raises(nas_ray.UsageError, match="seconds must be a number of at least 0 or None, got nan"):
        nas_ray.Budget(seconds=math.nan)


def test_who_needs_less_of_a_space_or_a_task_is_given_less() -> None:
    class Builds:
        def build(self, arch: str, num_classes: int) -> nn.Module:
            return nn.Sequential(nn.Flatten(), nn.Linear(2, num_classes))

    class Scored:
        num_outputs = 2

        def minibatch(self) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.ones(4, 2), torch.arange(4) % 2

        loss = staticmethod(nn.functional.cross_entropy)

    rows: list[dict[str, Any]] = []
    proxies = nas_ray.resolve_proxies(["params"])
    space: Any = Builds()
    task: Any = Scored()
    nas_ray.ProxyScores(space, 2, np.ones((4, 2), np.float32), np.arange(4) % 2, proxies)("a", rows.append)
    assert rows[0]["params"] == 6
    nas_ray.ProxyScores.of_task(NatsTss(), task, {})
    RandomSearch(space, fitness=FITNESS)


def test_an_evaluator_that_reports_nothing_is_a_failed_row() -> None:
    rows = nas_ray.simulate(searcher(), quiet, num_samples=2)
    assert (
        rows["error"].tolist() == ["ValueError: an evaluator must report a row, and it returned without."] * 2
    )
