"""What a finished training leaves: the net in several formats, pictures and the card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from nas_ray.runs.folder import read_run, write_atomically
from nas_ray.runs.writing import write_text
from nas_ray.train.card import model_card
from nas_ray.train.curves import CURVES, Curves, draw_curves
from nas_ray.train.export import CHECKED_IMAGES, write_onnx, write_pt2
from nas_ray.train.fit import predictions
from nas_ray.train.job import TrainJob
from nas_ray.train.outcome import Outcome
from nas_ray.train.pictures import confusion, draw_confusion
from nas_ray.training.trained import MODEL, NetFacts, TrainedNet

CARD = "model_card.md"
WRITERS: dict[str, Callable[[TrainedNet, Path, Tensor], float]] = {"onnx": write_onnx, "pt2": write_pt2}


def leave(
    job: TrainJob,
    net: nn.Module,
    summary: pd.DataFrame,
    results: pd.DataFrame,
    exported: Mapping[str, Any],
    curves: Curves,
    folder: Path,
) -> None:
    """Writes `model.*`, `curves.png`, `confusion.png` and `.csv`, and `model_card.md`.

    Args:
        job: what was trained.
        net: the one to export; takes standardised images.
        summary: a row per arch.
        results: a row per net.
        exported: the row of `net`.
        curves: of all nets.
        folder: of the training.

    Raises:
        UsageError: an exported file gives other logits than the net.
    """
    trained = TrainedNet(net, net_facts(job)).cpu().eval()
    trained.save(folder / MODEL)
    test = job.images.test_images
    shown = min(CHECKED_IMAGES, len(test))
    images = torch.stack([test.resized(number) for number in range(shown)])
    images = images.repeat(-(-CHECKED_IMAGES // shown), 1, 1, 1)  # a few, so that the batch is no constant
    differences = {name: WRITERS[name](trained, folder / f"model.{name}", images) for name in job.formats}
    counts = confusion(test.labels, predictions(net, test, "cpu").numpy(), job.images.classes)
    write_atomically(folder / "confusion.csv", lambda path: counts.to_csv(path))
    source = job.images.description.partition(",")[0]
    about = (
        f"{job.found.label}, seed {exported['seed']}: {exported['test_acc']:.2f} % of the "
        f"{exported['test_images']:,} test images of {source}"
    )
    draw_confusion(counts, folder / "confusion.png", about)
    draw_curves(curves, folder / CURVES, f"recipe {job.args.recipe}")
    made = Outcome(summary, results, exported, differences, read_run(folder))
    write_text(folder / CARD, model_card(job, made))


def net_facts(job: TrainJob) -> NetFacts:
    """Returns what `model.pt` says about the exported net."""
    images = job.images
    return NetFacts(
        arch=job.found.arch,
        space=job.found.space_name,
        num_classes=images.num_classes,
        image_size=images.image_size,
        classes=images.classes,
        mean=images.stats.mean,
        std=images.stats.std,
    )
