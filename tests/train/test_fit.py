"""A training that is cut short goes on as if it had not been, and several processes share its batches."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.images.image_data import ImageDataModule
from nas_ray.train.checkpoints import BEST, LAST, best_checkpoint, read_checkpoint
from nas_ray.train.fit import CURVE, Curve, Devices, TrainingImages, fit, predictions
from nas_ray.training.objective import class_objective
from nas_ray.training.recipes import Recipe
from nas_ray.training.training_module import TrainingModule
from tests.process.others import LSF, SLURM, TORCHRUN

RECIPE = Recipe(epochs=3, batch_size=64, lr=0.05, ema=0.9, crop_padding=1)
PARTS = (np.arange(200), np.arange(200, 300))


class CutShort(TrainingModule):
    """Fails in the middle of an epoch, as often as `cuts` says."""

    cuts = 0

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        if CutShort.cuts and self.trainer.current_epoch == 1 and batch_idx == 2:
            CutShort.cuts -= 1
            raise RuntimeError("cut short")
        return super().training_step(batch, batch_idx)


@pytest.fixture(scope="module")
def digits() -> ImageDataModule:
    return ImageDataModule("digits", dataset="ImageNet16-120", batch_size=1)


def module(kind: type[TrainingModule] = TrainingModule) -> TrainingModule:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2)),
            *(nn.Flatten(), nn.Dropout(0.3), nn.Linear(32, 10)),
        )
    return kind(net, RECIPE, class_objective(RECIPE), steps_per_epoch=4)


def fitted(folder: Path, digits: ImageDataModule, made: TrainingModule, processes: int = 1) -> pd.DataFrame:
    data = TrainingImages(digits.train_images, RECIPE, PARTS, seed=3)
    before = torch.get_num_threads()
    try:
        fit(made, data, folder, Devices("cpu", processes, 1), "net", verbose=False)
    finally:
        torch.set_num_threads(before)
    return pd.read_csv(folder / CURVE).drop(columns="seconds")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, digits: ImageDataModule) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    fitted(folder, digits, module())
    return folder


def weights(path: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = read_checkpoint(module(), path).state_dict()
    return state


def test_a_training_leaves_curve_and_checkpoints(whole: Path) -> None:
    curve = pd.read_csv(whole / CURVE)
    assert curve["epoch"].tolist() == [1, 2, 3]
    assert {"train_acc", "train_loss", "valid_acc", "valid_loss", "lr", "seconds"} <= set(curve)
    assert curve["lr"].tolist() == pytest.approx([0.05 * 0.75, 0.05 * 0.25, 0])  # cosine at a third, ...
    assert list((whole / "tensorboard").glob("events.out.tfevents.*"))


def test_the_best_checkpoint_is_that_of_the_best_epoch(whole: Path, digits: ImageDataModule) -> None:
    curve = pd.read_csv(whole / CURVE)
    for name, expected in ((BEST, curve["valid_acc"].max()), (LAST, curve["valid_acc"].iloc[-1])):
        net = read_checkpoint(module(), whole / name).trained
        found = predictions(net, digits.train_images, "cpu")[200:300]
        right = (found.numpy() == digits.train_images.labels[200:300]).mean()
        assert 100 * right == pytest.approx(expected)


def test_a_cut_in_the_middle_of_an_epoch_changes_nothing(
    tmp_path: Path, whole: Path, digits: ImageDataModule
) -> None:
    CutShort.cuts = 1
    with pytest.raises(RuntimeError, match=r"^cut short$"):
        fitted(tmp_path, digits, module(CutShort))
    assert len(pd.read_csv(tmp_path / CURVE)) == 1
    again = fitted(tmp_path, digits, module(CutShort))
    pd.testing.assert_frame_equal(again, pd.read_csv(whole / CURVE).drop(columns="seconds"), check_exact=True)
    ours, theirs = weights(tmp_path / LAST), weights(whole / LAST)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_damaged_last_checkpoint_costs_the_epochs_after_the_best(
    tmp_path: Path, whole: Path, digits: ImageDataModule, capsys: pytest.CaptureFixture[str]
) -> None:
    CutShort.cuts = 1
    with pytest.raises(RuntimeError, match=r"^cut short$"):
        fitted(tmp_path, digits, module(CutShort))
    (tmp_path / LAST).write_bytes((tmp_path / LAST).read_bytes()[:900])
    again = fitted(tmp_path, digits, module(CutShort))
    assert (
        f"{tmp_path / LAST} is damaged; the training goes on from {tmp_path / BEST}."
        in capsys.readouterr().out
    )
    pd.testing.assert_frame_equal(again, pd.read_csv(whole / CURVE).drop(columns="seconds"), check_exact=True)
    for name in (BEST, LAST):
        ours, theirs = weights(tmp_path / name), weights(whole / name)
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, digits: ImageDataModule) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    fitted(folder, digits, module(), processes=2)
    return folder


@pytest.mark.slow(faster="test_a_cut_in_the_middle_of_an_epoch_changes_nothing")
def test_processes_share_each_batch(shared: Path, digits: ImageDataModule) -> None:
    curve = pd.read_csv(shared / CURVE)
    assert curve["epoch"].tolist() == [1, 2, 3]
    assert curve["lr"].tolist() == pytest.approx([0.05 * 0.75, 0.05 * 0.25, 0])  # as many steps as with one
    net = read_checkpoint(module(), shared / LAST).trained
    right = (
        predictions(net, digits.train_images, "cpu")[200:300].numpy() == digits.train_images.labels[200:300]
    )
    assert 100 * right.mean() == pytest.approx(curve["valid_acc"].iloc[-1])


@pytest.mark.slow(faster="test_a_cut_in_the_middle_of_an_epoch_changes_nothing")
def test_several_processes_do_not_meet_those_of_another_job(
    shared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, digits: ImageDataModule
) -> None:
    before = {name: value for variables in (SLURM, LSF, TORCHRUN) for name, value in variables.items()}
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    found = fitted(tmp_path, digits, module(), processes=2)
    pd.testing.assert_frame_equal(found, pd.read_csv(shared / CURVE).drop(columns="seconds"))
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))
    assert {name: os.environ.get(name) for name in before} == before


def test_without_held_out_images_the_last_epoch_counts(tmp_path: Path, digits: ImageDataModule) -> None:
    data = TrainingImages(digits.train_images, RECIPE, (np.arange(200), np.arange(0)), seed=0)
    fit(module(), data, tmp_path, Devices("cpu", 1, 1), "net", verbose=False)
    assert best_checkpoint(tmp_path) == tmp_path / LAST
    assert torch.load(tmp_path / LAST, weights_only=False)["epoch"] == 2
    assert "valid_acc" not in pd.read_csv(tmp_path / CURVE)


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": {}},
        {"a": 1},
        {"state_dict": [1], "epoch": "x"},
        {"state_dict": {}, "loops": {"fit_loop": {}}, "pytorch-lightning_version": "2.6.0"},
    ],
)
def test_a_checkpoint_of_something_else_is_named(
    content: dict[str, Any], tmp_path: Path, digits: ImageDataModule
) -> None:
    torch.save(content, tmp_path / LAST)
    with pytest.raises(UsageError) as caught:
        fitted(tmp_path, digits, module())
    said = str(caught.value)
    assert said.startswith(f"A training must be able to go on from {tmp_path / LAST}, but it cannot (")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("seconds", "end"), [(90.0, ", about 4 min left"), (2.0, ", about 6 s left"), (0.1, ""), (None, "")]
)
def test_a_line_says_what_is_left_where_something_is(tmp_path: Path, seconds: float | None, end: str) -> None:
    row = {"epoch": 4 if seconds is None else 1, "seconds": seconds or 9.0, "valid_acc": 50.0}
    line = Curve(tmp_path, "net")._line(row, 4)
    assert line == f"net  epoch {row['epoch']} of 4: 50.00 % of the held-out images{end}"
