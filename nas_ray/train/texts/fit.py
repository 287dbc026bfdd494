"""One training of one net on a text, epoch by epoch, and what it leaves in its folder."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.process.seeded import seeded
from nas_ray.runs.folder import write_atomically
from nas_ray.terminal.console import tell
from nas_ray.terminal.text import about
from nas_ray.train.beside import Candidate
from nas_ray.train.checkpoints import BEST, LAST, of_this_net, read_plain
from nas_ray.train.damage import diverged
from nas_ray.train.fit import CURVE
from nas_ray.train.texts.job import TextJob
from nas_ray.training.epoch_module import RecipeModule
from nas_ray.training.lazy_layers import materialised
from nas_ray.training.training_module import training_module

_PER_SEED = 100_003  # between the seeds of the epochs of two nets


def fit(job: TextJob, candidate: Candidate, seed: int, folder: Path) -> pd.DataFrame:
    """Trains to the end, from `last.ckpt` of `folder` on where there is one, and returns the curve.

    Leaves there the last checkpoint, the best one by `valid_nats`, and `curve.csv`. A training that was
    killed goes on after its last finished epoch and ends as it would have. One whose loss is no number any
    more has ended, and is not gone on with.

    Raises:
        UsageError: `last.ckpt` is damaged or of something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()  # of words, which the next piece of a text needs again
    module = new_module(job, candidate, seed)
    rows, label = _begun(module, folder), f"{candidate.label} seed {seed}"
    for epoch in range(len(rows), job.recipe.epochs):
        if has_diverged(rows):
            break
        start = time.monotonic()
        with seeded((seed * _PER_SEED + epoch) % 2**64):  # dropout
            found = module.train_epoch(epoch)
        speed = module.module.results["tokens_per_s"]
        row = {"epoch": epoch + 1, **found, "tokens_per_s": speed, "seconds": time.monotonic() - start}
        rows.append(row)
        if row["valid_nats"] <= min(_known(one["valid_nats"]) for one in rows):
            _write(folder / BEST, {"state_dict": module.module.trained.state_dict()})
        _write(folder / LAST, {"rows": rows, **module.state()})
        _write_curve(folder / CURVE, rows)
        tell(_line(label, row, job.recipe.epochs, job.task.corpus.spec.tokens))
    if has_diverged(rows) and (folder / BEST).is_file():
        tell(f"{label}  diverged in epoch {len(rows)} and is not trained on: its best epoch before counts.")
    return pd.DataFrame(rows)


def has_diverged(rows: list[dict[str, float]]) -> bool:
    """Returns whether the loss of the last epoch is no number any more."""
    return bool(rows) and not math.isfinite(rows[-1]["train_loss"])


def best_net(job: TextJob, candidate: Candidate, seed: int, folder: Path) -> nn.Module:
    """Returns the net of the best epoch by validation, on the device of the job.

    Raises:
        UsageError: its checkpoint is gone or damaged, or the training diverged in its first epoch.
    """
    path = folder / BEST
    if not path.is_file():
        if (folder / LAST).is_file() and has_diverged(_kept(folder)[0]):
            raise diverged(job.recipe, folder, "lm-fast")
        raise UsageError(
            f"The best checkpoint {path} must be there, and is not; remove the folder {folder}, and --resume "
            "trains that net again."
        )
    net = new_module(job, candidate, seed).module.net
    with of_this_net(path):
        net.load_state_dict(read_plain(path)["state_dict"])
    return net.to(job.device).eval()


def new_module(job: TextJob, candidate: Candidate, seed: int) -> RecipeModule:
    """Returns the untrained module of an arch, equal for equal seeds."""
    job.task.to(job.device)
    batches = job.task.loaders(job.recipe, seed, 0)[0]
    with seeded(seed):
        net = candidate.space.build(candidate.arch, job.task.num_outputs)
        net = materialised(net, lambda: job.task.minibatch()[0])
        module = training_module(job.task, net, job.recipe, len(batches))
    return RecipeModule(module, job.task, job.recipe, seed, job.devices.accelerator)


def _begun(module: RecipeModule, folder: Path) -> list[dict[str, float]]:
    """Gives a module the state of the last finished epoch, and returns the rows of the curve until then."""
    if not (folder / LAST).is_file():
        return []
    rows, state = _kept(folder)
    with of_this_net(folder / LAST):
        module.load_state(state)
    return rows


def _kept(folder: Path) -> tuple[list[dict[str, float]], dict[str, Any]]:
    """Returns the rows of the curve until the last finished epoch, and the state of the module then."""
    path = folder / LAST
    with of_this_net(path):
        kept = read_plain(path)
        rows = [{str(name): float(value) for name, value in row.items()} for row in kept.pop("rows")]
    return rows, kept


def _write_curve(path: Path, rows: list[dict[str, float]]) -> None:
    write_atomically(path, lambda temporary: pd.DataFrame(rows).to_csv(temporary, index=False))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    write_atomically(path, lambda temporary: torch.save(content, temporary))


def _known(nats: float) -> float:
    return nats if math.isfinite(nats) else math.inf


def _line(label: str, row: Mapping[str, float], epochs: int, unit: str) -> str:
    left = row["seconds"] * (epochs - row["epoch"])
    shown = [
        f"perplexity {row['valid_perplexity']:,.1f} ({row['valid_nats']:.3f} nats) on held-out text",
        f"{row['train_nats']:.3f} nats in training",
        f"{row['tokens_per_s']:,.0f} {unit}/s",
    ]
    if left >= 1:
        shown.append(f"{about(left)} left")
    return f"{label}  epoch {row['epoch']:.0f} of {epochs}: {', '.join(shown)}"
