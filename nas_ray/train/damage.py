"""What may be wrong with a training that has ended, each told in a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from nas_ray.errors import UsageError, describe
from nas_ray.images.identity import IMAGES, check_unchanged
from nas_ray.safe_files.stored_numbers import StoredTable
from nas_ray.train.checkpoints import BEST, LAST, best_checkpoint
from nas_ray.train.fit import CURVE
from nas_ray.training.recipes import Recipe


def check_same_images(stored: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Checks that a training goes on with the images that it began with.

    Args:
        stored: `run.json`.
        now: what would be in it.

    Raises:
        UsageError: there are others.
    """
    before, given = stored.get("images") or {}, now["images"]
    for name in sorted(given.keys() & before.keys()):
        if before[name] != json.loads(json.dumps(given[name])):
            raise UsageError(
                f"The training must go on with the images that it began with, but their {name} was "
                f"{before[name]!r} and is {given[name]!r}; bring them back, or start a new one."
            )
    if IMAGES in now:
        check_unchanged(stored, {IMAGES: now[IMAGES]}, "The training", "start a new one")


def kept_checkpoint(folder: Path, row: Mapping[str, Any]) -> Path:
    """Returns the checkpoint of the net that `row` tells of.

    Raises:
        UsageError: it is gone.
    """
    path = best_checkpoint(folder)
    if path.name == LAST and row.get("valid_acc") is not None and row["best_epoch"] != row["epochs"]:
        raise UsageError(
            f"The best checkpoint {folder / BEST} must be there, and is not; remove the folder {folder}, and "
            "--resume trains that net again."
        )
    return path


def read_curve(folder: Path) -> pd.DataFrame:
    """Returns `curve.csv` of the training of one net.

    Raises:
        UsageError: it is damaged, as by a power cut.
    """
    path = folder / CURVE
    try:
        table = StoredTable.read(path)
        if not {"epoch", "seconds"} <= set(table.names) or table.frame.empty:
            raise ValueError("it holds no epoch")
        return pd.DataFrame({name: table.numbers(name) for name in table.names})
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} must be the curve of a training, but it cannot be read ({describe(error)}); remove the "
            f"folder {folder}, and --resume trains that net again."
        ) from error


def check_finite(net: nn.Module, recipe: Recipe, folder: Path) -> None:
    """Checks that a trained net holds numbers.

    Raises:
        UsageError: its training diverged.
    """
    if all(bool(torch.isfinite(value).all()) for value in net.state_dict().values()):
        return
    raise diverged(recipe, folder, "nats-12")


def diverged(recipe: Recipe, folder: Path, example: str) -> UsageError:
    """Returns the error that a training has no net to show.

    Args:
        recipe: by which it was trained.
        folder: has its curves.
        example: the name of a recipe for the same.
    """
    return UsageError(
        f"A training must end with finite weights, but this one diverged; begin another with a lower lr than "
        f"{recipe.lr:g}, as in --recipe {example}:lr={recipe.lr / 10:g}. What was measured is in {folder}."
    )
