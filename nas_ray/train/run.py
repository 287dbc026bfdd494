"""A whole training: every arch and seed, then tables, pictures, files and the card."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console

from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.images.drawing import said_of_repeats
from nas_ray.process.lightning import quiet_lightning
from nas_ray.process.started import command_for
from nas_ray.runs.folder import update_run, write_table
from nas_ray.terminal.console import say
from nas_ray.terminal.next_steps import say_next
from nas_ray.train.args import NAME, TrainArgs
from nas_ray.train.base_job import with_threads
from nas_ray.train.beside import Candidate
from nas_ray.train.checkpoints import LAST, best_checkpoint, read_checkpoint
from nas_ray.train.curves import curves_of
from nas_ray.train.damage import check_finite, kept_checkpoint, read_curve
from nas_ray.train.fit import TrainingImages, fit, predictions
from nas_ray.train.folder import in_folder, introduction, rows_of
from nas_ray.train.foretold import expected
from nas_ray.train.job import TrainJob, prepare
from nas_ray.train.latency import fastest_threads, latency_ms
from nas_ray.train.leave import leave
from nas_ray.train.module import net_folder, new_module
from nas_ray.train.rows import print_rows, results_table, summary_table
from nas_ray.training.task_args import is_text

RESULTS, COMPARISON = "results", "comparison"


def train(args: TrainArgs, console: Console) -> int:
    """Trains, or goes on training, and returns the exit code.

    Raises:
        UsageError: bad input, told before anything is trained.
    """
    quiet_lightning()
    if is_text(args):
        from nas_ray.train.texts.run import train_text

        return train_text(args, console)
    job = with_threads(prepare(args), chosen_threads)
    return in_folder(job, lambda folder: _train(job, folder, console), console)


def _train(job: TrainJob, folder: Path, console: Console) -> int:
    _introduce(job, folder, console)
    rows = rows_of(job, folder, partial(_trained, job))
    _finish(job, rows, folder, console)
    return 0


def chosen_threads(job: TrainJob) -> int:
    """Returns the threads with which a process on the CPU trains fastest here."""
    if job.devices.accelerator == "gpu" or job.devices.count > 1:
        return 1
    size = job.images.image_size
    count = min(job.recipe.batch_size, len(job.parts[0]))
    return fastest_threads(new_module(job, job.found, job.args.seed).net, torch.zeros(count, 3, size, size))


def _introduce(job: TrainJob, folder: Path, console: Console) -> None:
    images, parts = job.images, job.parts
    about = [
        f"images     {images.description}",
        f"           {len(parts[0]):,} to train on, {len(parts[1]):,} held out, {len(images.test_images):,} "
        "to test",
    ]
    left = expected(job, folder)
    say(console, introduction(job, job.args.dataset, about, left, folder, skipped=images.skipped))
    for note in filter(None, (images.note, said_of_repeats(job.scored, images.train_images))):
        say(console, note)


def _trained(job: TrainJob, candidate: Candidate, seed: int, folder: Path) -> dict[str, Any]:
    """Trains one net and returns its row."""
    data = TrainingImages(job.images.train_images, job.recipe, job.parts, seed)
    fit(
        new_module(job, candidate, seed),
        data,
        folder,
        job.devices,
        f"{candidate.label} seed {seed}",
        verbose=job.args.verbose,
    )
    curve = read_curve(folder)
    best = curve.iloc[int(curve["valid_acc"].to_numpy().argmax()) if "valid_acc" in curve else -1]
    right, right_last = (
        _right(job, candidate, seed, path) for path in (best_checkpoint(folder), folder / LAST)
    )
    total = len(job.images.test_images)
    return {
        "epochs": int(curve["epoch"].iloc[-1]),
        "best_epoch": int(best["epoch"]),
        "valid_acc": float(best["valid_acc"]) if "valid_acc" in curve else None,
        "test_acc": 100 * right / total,
        "test_acc_last": 100 * right_last / total,
        "test_right": right,
        "test_images": total,
        "seconds": float(curve["seconds"].sum()),
    }


def _right(job: TrainJob, candidate: Candidate, seed: int, checkpoint: Path) -> int:
    """Returns how many test images the net of a checkpoint classifies rightly."""
    net = read_checkpoint(new_module(job, candidate, seed), checkpoint).trained
    found = predictions(net, job.images.test_images, str(job.device))
    return int((found == torch.from_numpy(job.images.test_images.labels)).sum())


def _next(job: TrainJob, folder: Path) -> list[str]:
    """Returns what a finished training is good for: predictions, and other nets beside it."""
    paths: Sequence[str] = getattr(job.images.test_images.pixels, "paths", ())
    predict = [command_for("predict", folder, Path(paths[0]))] if len(paths) else []
    beside = [] if job.beside else [command_for(NAME, "--resume", folder, "--beside", "resnet-20", "random")]
    return [*predict, *beside]


def _facts(job: TrainJob) -> pd.DataFrame:
    """Returns what is known of each arch without training: costs, latency and scores."""
    images = job.images
    inputs, targets = job.scored.inputs.numpy(), job.scored.targets.numpy()
    rows = []
    for candidate in job.candidates:
        scored: list[dict[str, Any]] = []
        evaluate = ProxyScores(
            candidate.space, images.num_classes, inputs, targets, job.proxies, init_seed=job.args.seed
        )
        evaluate(candidate.arch, scored.append)
        net = new_module(job, candidate, job.args.seed).net
        rows.append(
            {
                "label": candidate.label,
                "arch": candidate.arch,
                "params": candidate.params,
                "flops": candidate.flops,
                "latency_ms": latency_ms(net, images.image_size),
                **{name: scored[-1].get(name) for name in job.proxies},
            }
        )
    return pd.DataFrame(rows)


def _finish(job: TrainJob, rows: list[dict[str, Any]], folder: Path, console: Console) -> None:
    results = results_table(rows)
    write_table(folder, results, RESULTS)
    summary = summary_table(results, _facts(job))
    write_table(folder, summary, COMPARISON)
    own = [row for row in rows if row["label"] == job.found.label]
    exported = max(own, key=lambda row: row["valid_acc"] or 0.0)  # the first of equals
    kept = net_folder(folder, job.found, exported["seed"])
    net = read_checkpoint(
        new_module(job, job.found, exported["seed"]), kept_checkpoint(kept, exported)
    ).trained
    check_finite(net, job.recipe, folder)
    leave(job, net, summary, results, exported, curves_of(job, folder), folder)
    update_run(folder, status="finished")
    say(console)
    print_rows(summary, list(job.proxies), console)
    for row in summary.to_dict("records"):
        if row["behind_high"] < 0:
            say(console, f"{row['label']} is better than the found arch on these images.", "yellow")
    say(console, f"Model card: {folder / 'model_card.md'}")
    say_next(console, *_next(job, folder))
