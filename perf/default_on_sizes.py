"""Fitnesses on the size space: how they rank, and what the best of N random archs by each are worth.

    python perf/default_on_sizes.py --benchmark nats_sss.csv.gz

Random archs of those that the table knows are scored together on
slices of one net; columns of test accuracy on CIFAR-10, CIFAR-100 and ImageNet16-120 are read as they are.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import tyro
from rich.console import Console
from rich.progress import track
from scipy.stats import spearmanr

from nas_ray.images.image_data import ImageDataModule
from nas_ray.search.defaults import OTHERS
from nas_ray.searchers import parse_fitness
from nas_ray.shared_weights.size_scores import SizeScores
from nas_ray.spaces import NatsSss
from nas_ray.terminal.console import Rows


@dataclasses.dataclass(frozen=True)
class Args:
    """What is scored."""

    benchmark: Path
    """A table of the size space, of all its archs or of some."""
    num_archs: int = 400
    """Random archs that are scored."""
    draws: tuple[int, ...] = (50, 150)
    """Archs of which the best by each fitness is taken."""
    repeats: int = 200
    """Draws of so many archs among those scored."""
    images: str = "digits"
    """Images, as in the searches."""
    seed: int = 0
    """Draws the archs."""


FITNESSES = (OTHERS.fitness, "log_rank_sum:naswot,synflow", "naswot", "synflow", "params")


def main(args: Args) -> None:
    """Prints a line per fitness and dataset."""
    torch.set_num_threads(1)
    table = pd.read_csv(args.benchmark)
    rng = np.random.default_rng(args.seed)
    drawn = table.sample(min(args.num_archs, len(table)), random_state=rng).reset_index(drop=True)
    inputs, targets = (t.numpy() for t in ImageDataModule(args.images, dataset="cifar10").minibatch())
    scores = SizeScores(NatsSss(), 10, inputs, targets, OTHERS.proxies, init_seed=0)
    archs = sorted(drawn["arch"])
    rows = {}
    for start in track(range(0, len(archs), 50), console=Console(stderr=True)):
        some = archs[start : start + 50]
        rows.update(zip(some, scores.rows(some), strict=True))
    known = [{**rows[a], "params": p} for a, p in zip(drawn["arch"], drawn["cifar10_params"], strict=True)]
    picks = {n: [rng.choice(len(known), n, replace=False) for _ in range(args.repeats)] for n in args.draws}
    shown = Rows("fitness", "dataset", "Spearman", *(f"best of {n} (rank of all)" for n in picks), box=None)
    for text in FITNESSES:
        fitness = parse_fitness(text, ["naswot", "synflow", "params"])
        values = fitness(known)
        for column in (name for name in drawn if "_test_acc_" in name):
            accuracy = drawn[column].to_numpy()
            whole = np.sort(table[column].to_numpy())
            cells = []
            for places in picks.values():
                found = [accuracy[some[np.argmax(fitness([known[i] for i in some]))]] for some in places]
                rank = len(whole) - np.searchsorted(whole, found, side="right") + 1
                cells.append(f"{np.mean(found):.2f} +- {np.std(found):.2f} ({np.median(rank):.0f})")
            shown.add_row(text, column.partition("_")[0], f"{spearmanr(values, accuracy)[0]:.3f}", *cells)
    Console(width=140).print(shown)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
