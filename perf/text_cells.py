"""Compares recurrent cells on a text in equal time: a found one, published and random ones, LSTM and GRU.

    python perf/text_cells.py --train wikitext2_valid.txt --held wikitext2_test.txt --found runs/one-shot
    python perf/text_cells.py --train a.txt --held b.txt --minutes 1 --width 64 --seeds 2 --out runs/cells

All cells have the same width and recipe. First the processor time of an epoch of each is measured, training
and validation, one cell after the other and of a few rounds the fastest; then each is trained for as many
whole epochs as make times most equal, with the learning rate going down to 0 over them. Of the held text the
first half chooses the epoch, and the second half is what a net is judged on. Seed S trains another random
cell than seed S + 1. What is finished is kept, and the same command goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import tyro

from nas_ray.report.intervals import paired
from nas_ray.spaces import DartsRnn
from nas_ray.terminal.text import markdown_table
from nas_ray.train.args import TrainArgs
from nas_ray.train.texts.fit import new_module
from nas_ray.train.texts.job import prepare
from nas_ray.train.texts.tables import perplexities

NAMED = ("darts-v2", "lstm", "gru")
FOUND, RANDOM = "found", "random"
EPOCHS, ROWS = "epochs.csv", "cells.csv"
SLACK = 0.2
"""Part of the time that may be added or left out, for times of whole epochs that are more equal."""


@dataclass(frozen=True)
class Args:
    """What is compared."""

    train: Path
    """The text that is learned, a file."""
    held: Path
    """A file whose first half chooses epochs and whose second half judges."""
    found: Path | None = None
    """A run of `one-shot` or a search on `darts-rnn`, whose best cell is compared as well."""
    minutes: float = 3.0
    """Processor time of each training."""
    width: int = 128
    """Features of words and states."""
    recipe: str = "lm-fast"
    """Without its epochs."""
    seeds: int = 4
    """Trainings of each cell."""
    processes: int = 2
    """Trainings at a time, of one thread each."""
    rounds: int = 2
    """Epochs of each cell that are timed."""
    out: Path = Path("runs/text_cells")
    """Folder of trainings and tables."""


@dataclass(frozen=True)
class Cell:
    """A cell as one training sees it."""

    label: str
    space: str
    arch: str


def halves(text: str) -> tuple[str, str]:
    """Returns both halves of a text by its words, parted at the end of a line."""
    lines = text.splitlines(keepends=True)
    words = np.cumsum([len(line.split()) for line in lines])
    half = int(np.searchsorted(words, words[-1] / 2)) + 1
    return "".join(lines[:half]), "".join(lines[half:])


def text_folder(args: Args) -> Path:
    """Returns the folder with the three parts of the text."""
    folder = args.out / "text"
    folder.mkdir(parents=True, exist_ok=True)
    valid, test = halves(args.held.read_text(encoding="utf-8"))
    parts = {"train": args.train.read_text(encoding="utf-8"), "valid": valid, "test": test}
    for name, content in parts.items():
        (folder / f"{name}.txt").write_text(content, encoding="utf-8")
    return folder


def cells(args: Args, seed: int) -> Iterator[Cell]:
    """Yields the cells that a seed trains."""
    sizes = f"width={args.width},embedding={args.width}"
    searched, named = f"darts-rnn:{sizes}", f"rnn-nets:{sizes}"
    if args.found is not None:
        best = json.loads((args.found / "best.json").read_text(encoding="utf-8"))
        yield Cell(FOUND, searched, best["arch"])
    for name in NAMED:
        yield Cell(name, named, name)
    yield Cell(RANDOM, searched, DartsRnn().sample(np.random.default_rng(seed)))


def words_of(args: Args, cell: Cell, epochs: int) -> dict[str, str]:
    """Returns the arguments of the training of a cell."""
    options = "," if ":" in args.recipe else ":"
    task = f"text:{text_folder(args).resolve()}"
    return {
        "arch": cell.arch,
        "space": cell.space,
        "task": task,
        "recipe": f"{args.recipe}{options}epochs={epochs}",
    }


def epoch_seconds(args: Args, cell: Cell) -> float:
    """Returns the processor seconds of an epoch of a cell, in this process."""
    job = prepare(TrainArgs(**words_of(args, cell, 1), num_gpus=0, num_threads=1))
    module = new_module(job, job.found, 0)
    began = time.process_time()
    module.train_epoch(0)
    return time.process_time() - began


def whole_epochs(epoch_s: np.ndarray, seconds: float, slack: float = SLACK) -> np.ndarray:
    """Returns the epochs of each cell, with times as equal as whole epochs can be, around `seconds`."""
    budgets = np.linspace(1 - slack, 1 + slack, 101) * seconds
    tried = [np.maximum(1, np.round(budget / epoch_s)).astype(int) for budget in budgets]
    return min(tried, key=lambda epochs: float(np.ptp(np.log(epochs * epoch_s))))


def timed(args: Args) -> pd.DataFrame:
    """Returns a row per label: `label`, `epoch_s` and `epochs`; kept, and later cells get as much time."""
    path = args.out / EPOCHS
    known = pd.read_csv(path) if path.is_file() else pd.DataFrame({"label": [], "epoch_s": [], "epochs": []})
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {}
    for round_of in range(args.rounds):
        for cell in cells(args, round_of):
            if cell.label not in set(known["label"]):
                found.setdefault(cell.label, []).append(epoch_seconds(args, cell))
                print(f"{cell.label:9} {found[cell.label][-1]:6.1f} s an epoch", flush=True)
    new = pd.DataFrame({"label": list(found), "epoch_s": [min(times) for times in found.values()]})
    if found:
        seconds = float((known["epoch_s"] * known["epochs"]).mean()) if len(known) else 60 * args.minutes
        new["epochs"] = whole_epochs(new["epoch_s"].to_numpy(), seconds, 0.0 if len(known) else SLACK)
    table = pd.concat([new, known.astype({"epochs": int})]) if len(known) else new
    table.to_csv(path, index=False)
    return table


def trained(args: Args, cell: Cell, seed: int, epochs: int) -> dict[str, object]:
    """Trains a cell by the command of the package, in a process of its own, and returns its row."""
    folder = args.out / f"{cell.label}-{seed}"
    results = folder / "results.csv"
    if not results.is_file():
        words = words_of(args, cell, epochs) | {"seed": str(seed), "seeds": "1", "out": str(folder)}
        asked = [f"--resume={folder}"] if folder.exists() else [f"--{k}={v}" for k, v in words.items()]
        command = [
            sys.executable,
            "-m",
            "nas_ray",
            "train",
            *asked,
            "--num-gpus=0",
            "--num-threads=1",
            "--formats=none",
        ]
        with (args.out / f"{cell.label}-{seed}.log").open("w") as log:
            subprocess.run(
                command, check=True, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
    row = pd.read_csv(results).iloc[0]
    kept = ("epochs", "best_epoch", "valid_nats", "test_nats", "tokens_per_s", "seconds")
    print(f"{cell.label:9} seed {seed}: test perplexity {row['test_perplexity']:.1f}", flush=True)
    return {"label": cell.label, "arch": cell.arch, "seed": seed, **{name: row[name] for name in kept}}


def compared(rows: pd.DataFrame) -> list[str]:
    """Returns the table: perplexities with 95 % t intervals, and by how much the first cell's is lower."""
    base = rows["label"].iloc[0]
    first = np.exp(rows[rows["label"] == base]["test_nats"]).tolist()
    lines = []
    for label, own in rows.groupby("label", sort=False):
        valid, test = (perplexities(own[f"{part}_nats"].tolist()) for part in ("valid", "test"))
        behind = paired(np.exp(own["test_nats"]).tolist(), first)
        lines.append(
            [
                str(label),
                f"{own['epochs'].mean():.0f}",
                f"{own['minutes'].mean():.1f}",
                f"{valid:.1f}",
                f"{test:.1f}",
                "" if label == base else f"{behind:.1f}",
            ]
        )
    heads = ["cell", "epochs", "minutes", "held-out perplexity", "test perplexity", f"{base} is lower by"]
    return markdown_table(heads, lines)


def main(args: Args) -> None:
    text_folder(args)
    times = timed(args).set_index("label")
    epochs = times["epochs"].astype(int)
    asked = [(cell, seed) for seed in range(args.seeds) for cell in cells(args, seed)]
    with ThreadPoolExecutor(args.processes) as pool:
        rows = list(pool.map(lambda one: trained(args, *one, int(epochs[one[0].label])), asked))
    labels = list(epochs.index)
    minutes = epochs * times["epoch_s"] / 60
    table = pd.DataFrame(rows).sort_values("label", key=lambda kept: kept.map(labels.index), kind="stable")
    table["minutes"] = table["label"].map(minutes)
    table.to_csv(args.out / ROWS, index=False)
    print("\n".join(compared(table)))


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
