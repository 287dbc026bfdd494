"""What an evolution loses when it asks for several archs before it sees a row: look-ups, without Ray.

    python perf/archs_per_trial.py --seeds 500

Each search maximises the accuracy that the embedded table holds, with equally many evaluations; printed is
the mean over seeds of the best accuracy found, with its standard error.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from nas_ray.benchmarks import open_benchmark
from nas_ray.drivers.simulation import simulate
from nas_ray.evaluation.proxy_scores import Lookup
from nas_ray.searchers import RegularizedEvolution, Single
from nas_ray.spaces import NatsTss


@dataclasses.dataclass(frozen=True)
class Args:
    """Size of the measurement."""

    archs_per_trial: tuple[int, ...] = (1, 8, 32, 64)
    """Archs of one trial."""
    seeds: int = 500
    """Searches of each kind."""
    num_samples: int = 200
    """Evaluations of one search."""
    dataset: str = "cifar10"
    """Dataset of the table."""


def best_accuracies(args: Args, archs_per_trial: int) -> np.ndarray:
    """Returns the best accuracy found by each search in percent, `[seeds]`."""
    benchmark = open_benchmark("nb201", args.dataset)
    assert benchmark is not None
    best = []
    for seed in range(args.seeds):
        searcher = RegularizedEvolution(NatsTss(), fitness=Single(("valid_acc",)), seed=seed)
        rows = simulate(
            searcher, Lookup(benchmark, 200), num_samples=args.num_samples, archs_per_trial=archs_per_trial
        )
        best.append(float(rows["valid_acc"].max()))
    return np.array(best)


def main(args: Args) -> int:
    table = Table("archs per trial", "best accuracy %", "standard error")
    for archs_per_trial in args.archs_per_trial:
        best = best_accuracies(args, archs_per_trial)
        error = best.std(ddof=1) / np.sqrt(len(best)) if len(best) > 1 else float("nan")
        table.add_row(str(archs_per_trial), f"{best.mean():.3f}", f"{error:.3f}")
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
