"""A final training sees all training images, and is judged on the test images and on nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.rows import Row
from nas_ray.spaces import HandDesigned
from nas_ray.training.epoch_module import RecipeModule
from nas_ray.training.recipes import parse_recipe
from nas_ray.training.whole_task import WholeTask

RECIPE = parse_recipe("epochs:2:batch_size=8,flip=false,crop_padding=0")


def data(folder: Path, tests: int = 20, other: int = 0) -> ImageDataModule:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40 + tests, 16, 16, 3), dtype=np.uint8)
    x[40 : 40 + other] = 255 - x[40 : 40 + other]
    y = np.arange(40 + tests) % 4
    np.savez(folder / "own.npz", x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:])
    return ImageDataModule(f"npz:{folder / 'own.npz'}", dataset="own", batch_size=4)


def test_what_is_trained_on_and_what_is_judged_on(tmp_path: Path) -> None:
    images = data(tmp_path)
    task = WholeTask(images)
    train, judged = task.loaders(RECIPE, 0, 0)
    assert sum(len(targets) for _, targets in train) == 40
    (inputs, targets), *others = list(judged)
    assert not others
    assert targets.tolist() == images.test_images.labels.tolist()
    for place in (0, 19):
        torch.testing.assert_close(inputs[place], images.test_images[place][0], atol=1e-2, rtol=0)
    half = parse_recipe("epochs:1:data_fraction=0.5")
    assert [len(part) for part in task.parts(half)] == [20, 0]


def test_the_accuracy_is_that_of_the_trained_net_on_the_test_images(tmp_path: Path) -> None:
    images = data(tmp_path)
    training = ShortTraining.of_task(HandDesigned(), WholeTask(images), RECIPE, init_seed=3)
    rows: list[Row] = []
    training("lenet-5", rows.append)
    assert rows[-1]["error"] is None
    module = training._made("lenet-5", 3)
    assert isinstance(module, RecipeModule)
    for epoch in (0, 1):
        training._trained(module, epoch, 0)
    net = module.module.trained.eval()
    with torch.no_grad():
        inputs = torch.stack([images.test_images[place][0] for place in range(20)])
        right = (net(inputs).argmax(1).numpy() == images.test_images.labels).mean()
    assert rows[-1]["valid_acc"] == pytest.approx(100 * right)


def test_other_test_images_are_another_training(tmp_path: Path) -> None:
    prints = [WholeTask(data(tmp_path, other=other)).fingerprint(RECIPE) for other in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


def test_test_images_are_needed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="A final training needs test images, but npz:"):
        WholeTask(data(tmp_path, tests=0))
