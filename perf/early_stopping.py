"""What early stopping saves and what it loses, on the learning curves of a search that trained all archs.

    python experiments/random_search.py --fidelity epochs:6 --num-samples 50 --out runs/full
    python perf/early_stopping.py runs/full --benchmark-table nats_tss.csv.gz

A training depends on nothing but its arch, so a stopped one has the beginning of the curve that the whole one
has: the curves in the run folder are played to the schedulers on Ray Tune, in the same order, one at a time.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from rich.console import Console
from rich.table import Table
from scipy.stats import kendalltau, spearmanr

from nas_ray.drivers.resources import Request, start_ray
from nas_ray.drivers.scheduling import make_scheduler
from nas_ray.drivers.tune_search import tune_search
from nas_ray.searchers import Row, Single
from nas_ray.searchers.given import GivenArchs
from nas_ray.spaces import NatsTss


@dataclasses.dataclass(frozen=True)
class Args:
    """Which run, and which ways to stop."""

    run: tyro.conf.Positional[Path]
    """Folder of a search with --fidelity and no scheduler."""
    reduction_factors: tuple[float, ...] = (2, 3)
    """Of asha and hyperband."""
    grace_epochs: tuple[int, ...] = (1, 2)
    """Of asha and median."""
    benchmark_table: Path | None = None
    """Table with trained accuracy, to correlate the accuracy of every epoch with."""


class Recorded:
    """Learning curves that are known."""

    def __init__(self, curves: dict[str, list[float]]) -> None:
        self.curves = curves
        self.until = max(map(len, curves.values()))

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports the rows of all epochs."""
        for row in self.epochs(arch):
            report(row)

    def epochs(self, arch: str) -> Iterator[Row]:
        """Yields a row per epoch."""
        for epoch, value in enumerate(self.curves[arch], 1):
            yield {"valid_acc": value, "epochs": epoch, "seconds": float(epoch), "error": None}

    def forget(self, arch: str) -> None:
        """Nothing is kept."""


def main(args: Args) -> int:
    """Prints epochs, best arch and rank correlations for every scheduler."""
    rows = pd.read_parquet(args.run / "results.parquet").drop_duplicates("arch")
    rows = rows[rows["error"].isna()]
    curves = {
        arch: [float(v) for v in text.split()] for arch, text in zip(rows["arch"], rows["curve"], strict=True)
    }
    console = Console()
    correlate(args, curves, console)
    start_ray(Request(num_cpus=1))
    full = {arch: curve[-1] for arch, curve in curves.items()}
    best = max(full, key=lambda arch: full[arch])
    spent = sum(map(len, curves.values()))
    table = Table(
        "scheduler", "epochs", "share", "rank of its best by full training", "valid_acc of that, full"
    )
    table.add_row("none", str(spent), "100 %", "1", f"{full[best]:.2f}")
    for name, factor, grace in settings(args):
        scheduler = make_scheduler(
            name, epochs=len(curves[best]), grace_epochs=grace, reduction_factor=factor
        )
        with tempfile.TemporaryDirectory() as folder:
            searcher = GivenArchs(NatsTss(), fitness=Single(("valid_acc",)), archs=list(curves))
            found = tune_search(searcher, Recorded(curves), folder=Path(folder), scheduler=scheduler)
        deepest = found.sort_values(["epochs", "valid_acc"], ascending=False, kind="stable").iloc[0]["arch"]
        rank = 1 + sum(value > full[deepest] for value in full.values())
        epochs = int(found["epochs"].sum())
        label = f"{name}, factor {factor:g}, grace {grace}" if name != "median" else f"median, grace {grace}"
        table.add_row(label, str(epochs), f"{epochs / spent:.0%}", str(rank), f"{full[deepest]:.2f}")
    console.print(table)
    return 0


def settings(args: Args) -> Iterator[tuple[str, float, int]]:
    """Yields scheduler, reduction factor and grace epochs."""
    for factor in args.reduction_factors:
        for grace in args.grace_epochs:
            yield "asha", factor, grace
        yield "hyperband", factor, 1
    for grace in args.grace_epochs:
        yield "median", 2, grace


def correlate(args: Args, curves: dict[str, list[float]], console: Console) -> None:
    """Prints the rank correlation of the accuracy after each epoch with what a benchmark knows."""
    if args.benchmark_table is None:
        return
    known = pd.read_csv(args.benchmark_table).set_index("arch").loc[list(curves)]
    names = [name for name in known if name.startswith("cifar10_") and "_acc_" in name]
    table = Table("epoch", *(f"{name} {kind}" for name in names for kind in ("Spearman", "Kendall")))
    after = np.array(list(curves.values()))
    for epoch in range(after.shape[1]):
        found = [
            measure(after[:, epoch], known[name]).statistic
            for name in names
            for measure in (spearmanr, kendalltau)
        ]
        table.add_row(str(epoch + 1), *(f"{value:.3f}" for value in found))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
