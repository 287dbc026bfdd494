"""A whole training on a text: every arch and seed, then tables, files and the card."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.process.started import command_for
from nas_ray.rows import records
from nas_ray.runs.folder import read_run, update_run, write_table
from nas_ray.runs.writing import write_text
from nas_ray.terminal.console import say
from nas_ray.terminal.next_steps import say_next
from nas_ray.train.args import NAME, TrainArgs
from nas_ray.train.base_job import with_threads
from nas_ray.train.beside import Candidate
from nas_ray.train.curves import CURVES, OF_TEXT, curves_of, draw_curves
from nas_ray.train.folder import in_folder, introduction, rows_of
from nas_ray.train.foretold import foretold
from nas_ray.train.latency import fastest_threads
from nas_ray.train.leave import CARD
from nas_ray.train.module import net_folder
from nas_ray.train.outcome import Outcome
from nas_ray.train.texts.card import model_card
from nas_ray.train.texts.export import WRITERS
from nas_ray.train.texts.fit import best_net, fit, new_module
from nas_ray.train.texts.job import TextJob, prepare
from nas_ray.train.texts.tables import of_unknown, print_rows, summary_table, with_perplexities
from nas_ray.training.expected import Expected, epoch_of_task
from nas_ray.training.language_training import nats_of, perplexity
from nas_ray.training.trained import MODEL
from nas_ray.training.trained_text import TextFacts, TrainedText

RESULTS, COMPARISON = "results", "comparison"


def train_text(args: TrainArgs, console: Console) -> int:
    """Trains on a text, or goes on training, and returns the exit code.

    Raises:
        UsageError: bad input, told before anything is trained.
    """
    job = with_threads(prepare(args), chosen_threads)
    return in_folder(job, lambda folder: _train(job, folder, console), console)


def _train(job: TextJob, folder: Path, console: Console) -> int:
    _introduce(job, folder, console)
    rows = rows_of(job, folder, partial(_trained, job))
    results = pd.DataFrame(rows)
    write_table(folder, results, RESULTS)
    summary = summary_table(results, job.candidates)
    write_table(folder, summary, COMPARISON)
    net = _leave(job, summary, results, folder)
    update_run(folder, status="finished")
    say(console)
    print_rows(summary, console)
    say(console, of_unknown(job.task.corpus))
    if job.args.sample is not None:
        say(console, f"{job.args.sample} {net.continued(job.args.sample)}")
    say(console, f"Model card: {folder / CARD}")
    if not job.beside:
        say_next(console, command_for(NAME, "--resume", folder, "--beside", "random"))
    return 0


def chosen_threads(job: TextJob) -> int:
    """Returns the threads with which a net of the text trains fastest here."""
    if job.devices.accelerator == "gpu":
        return 1
    inputs = epoch_of_task(job.task, job.recipe).draw()[0]
    return fastest_threads(new_module(job, job.found, job.args.seed).module.net, inputs)


def _introduce(job: TextJob, folder: Path, console: Console) -> None:
    about = [f"text       {job.task.description}"]
    say(console, introduction(job, "a text", about, _expected(job, folder), folder))


def _expected(job: TextJob, folder: Path) -> Expected | None:
    """Returns how long what is left of the trainings will take; see `foretold`."""
    return foretold(
        job,
        folder,
        lambda: epoch_of_task(job.task, job.recipe),
        lambda candidate: new_module(job, candidate, job.args.seed).module,
    )


def _trained(job: TextJob, candidate: Candidate, seed: int, folder: Path) -> dict[str, Any]:
    """Trains one net and returns its row."""
    curve = fit(job, candidate, seed, folder)
    nats = curve["valid_nats"].to_numpy(dtype=float)
    best = curve.iloc[int(np.where(np.isfinite(nats), nats, np.inf).argmin())]
    test = nats_of(best_net(job, candidate, seed, folder), job.task.tested(job.recipe))
    return {
        "epochs": int(curve["epoch"].iloc[-1]),
        "best_epoch": int(best["epoch"]),
        "valid_nats": float(best["valid_nats"]),
        "valid_perplexity": perplexity(float(best["valid_nats"])),
        "test_nats": test,
        "test_perplexity": perplexity(test),
        "tokens_per_s": float(curve["tokens_per_s"].mean()),
        "seconds": float(curve["seconds"].sum()),
    }


def _leave(job: TextJob, summary: pd.DataFrame, results: pd.DataFrame, folder: Path) -> TrainedText:
    """Writes `model.*`, `curves.png` and the card, and returns the net with the best validation."""
    own = records(results[results["label"] == job.found.label])
    exported = min(own, key=lambda row: row["valid_nats"] if math.isfinite(row["valid_nats"]) else math.inf)
    kept = net_folder(folder, job.found, exported["seed"])
    corpus = job.task.corpus
    facts = TextFacts(job.found.arch, job.found.space_name, corpus.spec.tokens, corpus.vocabulary.words)
    net = TrainedText(best_net(job, job.found, exported["seed"], kept), facts).cpu().eval()
    net.save(folder / MODEL)
    differences = {name: WRITERS[name](net, folder / f"model.{name}") for name in job.formats}
    curves = {label: [*map(with_perplexities, own)] for label, own in curves_of(job, folder).items()}
    draw_curves(curves, folder / CURVES, f"recipe {job.args.recipe}", OF_TEXT)
    made = Outcome(summary, results, exported, differences, read_run(folder))
    write_text(folder / CARD, model_card(job, made))
    return net
