"""Trains a small net on a grid of learning rates and weight decays, for `recipe_searchers.py`.

    python perf/recipe_surface.py

The net is lenet-5, the images are scikit-learn's digits, the recipe is `fast` with so many epochs; each
accuracy is the mean of some seeds, of held-out images. The table lies beside this file, so that a study of
searchers does not train; where it is there, what it lacks is added, so the same command goes on where it
was stopped.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import tyro

from nas_ray import ImageDataModule, Row, ShortTraining
from nas_ray.spaces import HandDesigned, Product
from nas_ray.training.recipes import parse_recipe

TABLE = Path(__file__).with_name("recipe_surface.csv")


@dataclass(frozen=True)
class Args:
    """Where the grid lies, and how nets are trained."""

    epochs: int = 3
    """Epochs of each training."""
    seeds: int = 2
    """Nets for each point."""
    lrs: int = 13
    """Learning rates from 0.001 to 1, evenly on a logarithmic scale."""
    decays: int = 4
    """Weight decays from 1e-5 to 0.1, likewise."""
    out: Path = TABLE
    """Table to write."""


def main(args: Args) -> None:
    torch.set_num_threads(1)
    grid = {
        "lr": [float(f"{x:.4g}") for x in np.geomspace(1e-3, 1, args.lrs)],
        "weight_decay": [float(f"{x:.4g}") for x in np.geomspace(1e-5, 0.1, args.decays)],
    }
    space = Product(HandDesigned(), {name: "/".join(map(str, values)) for name, values in grid.items()})
    recipe = parse_recipe(f"epochs:{args.epochs}:seeds={args.seeds}")
    training = ShortTraining(space, 10, ImageDataModule("digits").train_images, recipe)
    done = pd.read_csv(args.out).to_dict("records") if args.out.exists() else []
    for lr, decay in itertools.product(*grid.values()):
        if any((row["lr"], row["weight_decay"]) == (lr, decay) for row in done):
            continue
        texts = (setting.texts[values.index(value)] for setting, values, value in zip(
            space.settings.values(), grid.values(), (lr, decay), strict=True))  # fmt: skip
        point = f"lenet-5@lr={next(texts)},weight_decay={next(texts)}"
        rows: list[Row] = []
        training(point, rows.append)
        if rows[-1].get("error_kind") not in (None, "diverged"):
            raise SystemExit(f"{point}: {rows[-1]['error']}")
        accuracy = 10.0 if rows[-1].get("error") else rows[-1]["valid_acc"]  # what diverges knows nothing
        done.append({"lr": lr, "weight_decay": decay, "valid_acc": accuracy})
        pd.DataFrame(done).to_csv(args.out, index=False, float_format="%.6g")
        print(f"{len(done)} of {args.lrs * args.decays}: {point} {accuracy}")


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
