"""Trainings that went wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.train.damage import check_finite, check_same_images, kept_checkpoint, read_curve
from nas_ray.train.pictures import confusion, draw_confusion
from nas_ray.training.recipes import Recipe


@pytest.mark.parametrize("content", ["", "epoch,seconds\n", "a,b\n1,2\n", "\0" * 50])
def test_a_damaged_curve_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text(content)
    with pytest.raises(UsageError) as caught:
        read_curve(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'curve.csv'} must be the curve of a training, but it ")
    assert f"remove the folder {tmp_path}, and --resume trains that net again." in str(caught.value)


def test_a_curve_comes_back(tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text("epoch,seconds,train_acc\n1,0.5,20\n2,0.5,30\n")
    assert read_curve(tmp_path)["train_acc"].tolist() == [20, 30]


def test_a_training_that_diverged_is_said(tmp_path: Path) -> None:
    net = nn.BatchNorm2d(2)
    check_finite(net, Recipe(), tmp_path)
    with torch.no_grad():
        net.weight[0] = float("nan")
    with pytest.raises(UsageError, match=r"diverged; begin another with a lower lr than 0\.1"):
        check_finite(net, Recipe(), tmp_path)


def test_other_images_are_refused() -> None:
    held = {"images": {"test": 359, "classes": ["a", "b"]}}
    check_same_images(held, {"images": {"test": 359, "classes": ("a", "b"), "new": 1}})
    with pytest.raises(UsageError, match="but their test was 359 and is 360; bring them back"):
        check_same_images(held, {"images": {"test": 360}})


def test_a_best_checkpoint_that_is_gone_is_said(tmp_path: Path) -> None:
    (tmp_path / "last.ckpt").touch()
    row = {"valid_acc": 50.0, "best_epoch": 1, "epochs": 5}
    with pytest.raises(UsageError, match=r"The best checkpoint .*best\.ckpt must be there, and is not;"):
        kept_checkpoint(tmp_path, row)
    assert kept_checkpoint(tmp_path, {**row, "best_epoch": 5}) == tmp_path / "last.ckpt"
    assert kept_checkpoint(tmp_path, {**row, "valid_acc": None}) == tmp_path / "last.ckpt"


def test_names_of_classes_may_be_anything(tmp_path: Path) -> None:
    names = ["a$\\bad{$", "x\ny", "z" * 200]
    counts = confusion(np.arange(3), np.arange(3), names)
    draw_confusion(counts, tmp_path / "confusion.png", "test")
    assert (tmp_path / "confusion.png").stat().st_size > 1000
