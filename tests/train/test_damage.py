"""Trainings that went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.modules.recipes import Recipe
from nas_ray.train.damage import check_finite, read_curve


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
