"""Images as a task: the numbers and the checkpoints of before there were tasks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.splits import NetImages
from nas_ray.runs.folder import fingerprint
from nas_ray.training.image_task import ImageTask
from nas_ray.training.recipes import parse_recipe
from nas_ray.training.task import Task
from tests.evaluation.test_short_training import ToyNets, without_times

BEFORE = json.loads((Path(__file__).parent / "digits_of_before.json").read_text())
"""Rows of trainings with `init_seed=2` and `split_seed=3`, by recipe and arch."""


@pytest.fixture(scope="module")
def digits() -> ImageDataModule:
    return ImageDataModule("digits", batch_size=32, batch_seed=3)


@pytest.fixture(scope="module")
def images(digits: ImageDataModule) -> NetImages:
    return digits.train_images


@pytest.mark.parametrize("key", BEFORE)
def test_rows_are_those_of_before(images: NetImages, key: str) -> None:
    recipe, arch = key.split()
    training = ShortTraining(ToyNets(16), 10, images, parse_recipe(recipe), split_seed=3, init_seed=2)
    rows = list(map(without_times, training.epochs(arch)))
    assert [list(row) for row in rows] == [list(row) for row in BEFORE[key]]
    for row, before in zip(rows, BEFORE[key], strict=True):  # equal on one machine, nearly so on another
        for name in ("valid_acc", "train_acc"):
            assert row[name] == pytest.approx(before[name], abs=0.8)
        for name in ("valid_loss", "train_loss"):
            assert row[name] == pytest.approx(before[name], rel=2e-3)


RECIPE_OF_BEFORE = (
    '{"epochs": 2, "batch_size": 64, "lr": 0.1, "momentum": 0.9, "nesterov": true, "weight_decay": '
    '0.0005, "schedule": "linear", "warmup_epochs": 0.5, "flip": true, "crop_padding": 2, "cutout": 0, '
    '"autoaugment": "none", "label_smoothing": 0.0, "clip_grad_norm": 0.0, '
    '"ema": 0.0, "bn_batches": 8, "precision": "32-true", "channels_last": true, '
    '"data_fraction": 1.0, "balanced": false, "valid_fraction": 0.2, "class_weights": false, "seeds": 1}'
)
"""What the version without second classifiers wrote of the recipe `epochs:2`."""


def test_checkpoints_of_before_are_gone_on_from(images: NetImages) -> None:
    recipe = parse_recipe("epochs:2")
    training = ShortTraining(ToyNets(16), 10, images, recipe, init_seed=5)
    first = images.resized(int(training.train_indices[0])).numpy()
    earlier = fingerprint(training.train_indices, training.valid_indices, images.labels, first)
    assert training.identities()[1] == f'[{RECIPE_OF_BEFORE}, 5, "{earlier}"]'
    assert training.identities()[0] == f'[{RECIPE_OF_BEFORE}, 5, "{training.fingerprint}"]'
    state = training.new_module("0", 0).state()
    assert list(state) == ["module", "optimiser", "schedule"]
    assert all(name.startswith("net.") for name in state["module"])


def test_a_task_of_images_is_trained_as_the_images_are(digits: ImageDataModule, images: NetImages) -> None:
    recipe, task = parse_recipe("epochs:1"), ImageTask.of(digits)
    assert isinstance(task, Task)
    plain = list(ShortTraining(ToyNets(16), 10, images, recipe, split_seed=3).epochs("1"))
    ours = list(ShortTraining.of_task(ToyNets(16), task, recipe).epochs("1"))
    assert list(map(without_times, ours)) == list(map(without_times, plain))


def test_its_minibatch_is_that_of_the_images(digits: ImageDataModule, images: NetImages) -> None:
    for ours, theirs in zip(ImageTask.of(digits).minibatch(), digits.minibatch(), strict=True):
        assert torch.equal(ours, theirs)
    inputs, targets = ImageTask(images, 10).minibatch()
    assert inputs.shape == (64, 3, 32, 32)
    assert len(targets) == 64


def test_what_is_kept_of_images_follows_the_recipe(images: NetImages) -> None:
    task = ImageTask(images, 10)
    counts = [
        sum(len(targets) for _, targets in task.loaders(parse_recipe(recipe), 0, 0)[0])
        for recipe in ("fast", "fast:data_fraction=0.5", "fast")
    ]
    assert counts[0] == counts[2] == len(task.parts(parse_recipe("fast"))[0])
    assert counts[1] == pytest.approx(counts[0] / 2, abs=1)
    recipe = parse_recipe("fast")
    assert task.fingerprint(recipe) != ImageTask(images, 10, split_seed=1).fingerprint(recipe)
