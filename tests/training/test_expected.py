"""How long trainings will take, told before they start."""

from __future__ import annotations

import time

import pytest
import torch
from torch import nn

from nas_ray.drivers.plan import Plan
from nas_ray.drivers.resources import Request
from nas_ray.evaluation.lookup import Lookup
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.splits import NetImages
from nas_ray.search.foretold import expected, time_lines
from nas_ray.training import expected as measured
from nas_ray.training.expected import Epoch, Expected, epoch_of_images, epoch_seconds, seconds_of
from nas_ray.training.objective import class_objective
from nas_ray.training.recipes import parse_recipe
from nas_ray.training.training_data import split_indices
from nas_ray.training.training_module import TrainingModule
from tests.evaluation.test_short_training import ToyNets


@pytest.fixture(scope="module")
def digits() -> NetImages:
    return ImageDataModule("digits").train_images


class Clock:
    """A clock that steps move on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
        self.now, self.left = 0.0, list(seconds)
        monkeypatch.setattr(measured.time, "perf_counter", lambda: self.now)

    def step(self) -> None:
        self.now += self.left.pop(0)


def test_the_fastest_step_counts_and_the_first_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 0.1, 0.5, 0.3, 0.4, 9.0)
    assert seconds_of(clock.step) == pytest.approx(0.3)
    assert clock.left == [9.0]


def test_one_long_step_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 4.0, 9.0)
    assert seconds_of(clock.step) == 4.0
    assert clock.left == [9.0]


def test_threads_are_those_asked_for_and_put_back() -> None:
    seen: list[int] = []
    seconds_of(lambda: seen.append(torch.get_num_threads()), threads=2, repeats=1)
    assert (seen, torch.get_num_threads()) == ([2, 2], 1)


@pytest.mark.parametrize(
    ("left", "seconds", "said"),
    [
        (Expected(90, 1.25), 112.5, "about 2 min: 90 epochs of 1.2 s, by one batch here"),
        (Expected(1, 4.0, 2.0), 6.0, "about 6 s: 1 epoch of 4.0 s, by one batch here"),
        (
            Expected(6_000, 2.5, 8.0, at_once=4, at_most=True),
            3752.0,
            "at most about 1 h 02 min: 6,000 epochs of 2.5 s, by one batch here, 4 at a time",
        ),
        (Expected(8, 0.01), 0.08, "about 0 s: 8 epochs of less than 0.1 s, by one batch here"),
    ],
)
def test_what_is_said(left: Expected, seconds: float, said: str) -> None:
    assert left.seconds == pytest.approx(seconds)
    assert str(left) == said


def module(recipe: str) -> TrainingModule:
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(1800, 10))
    made = parse_recipe(recipe)
    return TrainingModule(net, made, class_objective(made), steps_per_epoch=7)


def test_an_epoch_is_its_steps_and_what_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 7 steps of training, held-out images of 1.5 batches, and statistics of 8 more batches."""
    trained = module("nats-12:bn_batches=8")
    before = trained.net[0].weight.detach().clone()
    asked: list[bool] = []

    def fixed(step: object, **_: object) -> float:
        step()  # type: ignore[operator]
        asked.append(not torch.equal(before, trained.net[0].weight))
        return 2.0 if len(asked) == 1 else 0.5

    monkeypatch.setattr(measured, "seconds_of", fixed)
    batch = (torch.rand(4, 3, 32, 32), torch.arange(4))
    torch.manual_seed(3)
    state = torch.get_rng_state()
    assert epoch_seconds(trained, Epoch(lambda: batch, 7, 1.5)) == 7 * 2.0 + (8 + 1.5) * 0.5
    assert asked == [True, True]  # the first one is a step of training
    assert torch.equal(torch.get_rng_state(), state)


def test_an_epoch_of_images_is_that_of_the_training(digits: NetImages) -> None:
    recipe = parse_recipe("epochs:1:batch_size=100")
    parts = split_indices(digits.labels, recipe)
    epoch = epoch_of_images(digits, parts, recipe)
    assert epoch.steps == -(-len(parts[0]) // 100)
    assert epoch.passes == len(parts[1]) / 100
    assert epoch.draw()[0].shape == (100, 3, 32, 32)
    shared = epoch_of_images(digits, parts, recipe, world=2)
    assert shared.steps == epoch.steps
    assert shared.draw()[0].shape == (50, 3, 32, 32)


def training(digits: NetImages, recipe: str = "epochs:3:seeds=2,data_fraction=0.1") -> ShortTraining:
    return ShortTraining(ToyNets(16), 10, digits, parse_recipe(recipe), until=2)


def test_a_search_takes_what_its_trainings_take(digits: NetImages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "seconds_of", lambda step, **_: 0.25)
    evaluator = training(digits)
    one = evaluator.foretold("3")
    steps = len(evaluator.task.loaders(evaluator.recipe, 0, 0)[0])
    held_out = len(evaluator.valid_indices) / min(64, len(evaluator.train_indices))
    assert one.epochs == 2 * 2  # epochs and seeds
    assert one.epoch_seconds == pytest.approx(0.25 * (steps + held_out + 8))
    plan = Plan(max_concurrent=4, cpus=4)
    whole = expected(evaluator, evaluator.space, 10, Request(), plan)
    assert whole is not None
    assert (whole.epochs, whole.at_once, whole.at_most) == (40, 4, False)
    assert whole.epoch_seconds == pytest.approx(one.epoch_seconds)
    assert time_lines(whole)[0].startswith("time       about ")
    last = expected(evaluator, evaluator.space, 1, Request(), plan)
    assert last is not None
    assert last.at_once == 1


def test_nothing_is_told_of_what_is_not_known(digits: NetImages) -> None:
    plan, space = Plan(), ToyNets(16)
    evaluator = training(digits)
    assert expected(evaluator, space, 0, Request(), plan) is None  # nothing is left
    assert expected(evaluator, space, 5, Request(address="auto"), plan) is None  # other machines
    assert expected(Lookup.__call__, space, 5, Request(), plan) is None  # trains nothing
    assert time_lines(None) == []


def test_what_is_told_is_near_what_it_takes(digits: NetImages) -> None:
    """Within a factor of ten, as this machine may be busy with other work."""
    evaluator = training(digits, "epochs:2:data_fraction=0.5")
    told = evaluator.foretold("3").seconds
    began = time.monotonic()
    evaluator("3", lambda row: None)
    assert told < 10 * (time.monotonic() - began)
    assert told > 0.02
