"""What may be wrong with a training that has ended, each told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch
from torch import nn

from nas_ray.errors import UsageError, describe
from nas_ray.modules.recipes import Recipe
from nas_ray.train.fit import CURVE


def read_curve(folder: Path) -> pd.DataFrame:
    """Returns `curve.csv` of the training of one net.

    Raises:
        UsageError: it is damaged, as by a power cut.
    """
    path = folder / CURVE
    try:
        curve = pd.read_csv(path)
        if not {"epoch", "seconds"} <= set(curve) or curve.empty:
            raise ValueError("it holds no epoch")
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise UsageError(
            f"{path} must be the curve of a training, but it cannot be read ({describe(error)}); remove the "
            f"folder {folder}, and --resume trains that net again."
        ) from error
    return curve


def check_finite(net: nn.Module, recipe: Recipe, folder: Path) -> None:
    """Checks that a trained net holds numbers.

    Raises:
        UsageError: its training diverged.
    """
    if all(bool(torch.isfinite(value).all()) for value in net.state_dict().values()):
        return
    raise UsageError(
        f"A training must end with finite weights, but this one diverged; begin another with a lower lr than "
        f"{recipe.lr:g}, as in --recipe nats-12:lr={recipe.lr / 10:g}. The accuracies are in {folder}."
    )
