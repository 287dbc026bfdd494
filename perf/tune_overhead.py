"""What Ray Tune costs a search: wall time against the computation of its trials, and a look-up search.

    python perf/tune_overhead.py --num-samples 200 --trial-s 0.15

A trial computes (spins) for a fixed time, so that the rest is overhead. Efficiency is the trials' own seconds
divided by workers times wall time: once from the first worker that is up to the end, and once with the start
of Ray and of the workers.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from nas_ray.benchmarks import open_benchmark
from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.resources import Request, start_ray
from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import tune_search
from nas_ray.evaluation.proxy_scores import Lookup
from nas_ray.searchers import RandomSearch, RegularizedEvolution, Row, Single
from nas_ray.spaces import NatsTss


@dataclasses.dataclass(frozen=True)
class Args:
    """Size of the measurement."""

    num_samples: int = 200
    """Trials of the Tune search."""
    trial_s: float = 0.15
    """Seconds that one trial computes."""
    workers: int = 2
    """Trials in flight."""
    lookups: int = 1000
    """Evaluations of the look-up search in-process."""


class Spin:
    """An evaluator that computes for a fixed time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports a row after the time is over."""
        start = time.perf_counter()
        while time.perf_counter() - start < self.seconds:
            pass
        report({"x": float(len(arch)), "seconds": time.perf_counter() - start, "error": None})


def tune_overhead(args: Args) -> dict[str, float]:
    """Returns wall time and efficiency of a random search on Ray Tune."""
    began = time.perf_counter()
    start_ray(Request(num_cpus=args.workers, num_gpus=0))
    with tempfile.TemporaryDirectory() as folder:
        rows = tune_search(
            RandomSearch(NatsTss(), fitness=Single(("x",))),
            Spin(args.trial_s),
            folder=Path(folder),
            num_samples=args.num_samples,
            max_concurrent=args.workers,
        )
    wall = time.perf_counter() - began
    stop_ray()
    first = rows["finished_at"].min() - args.trial_s  # when the first worker was up
    searching = rows["finished_at"].max() - first
    share = rows["seconds"].sum() / args.workers
    return {
        "trials": len(rows),
        "seconds of computation / workers": share,
        "seconds from the first worker to the end": searching,
        "efficiency of the search": share / searching,
        "milliseconds of overhead per trial": 1000
        * (searching * args.workers / len(rows) - rows["seconds"].mean()),
        "seconds in all, with start and stop of Ray": wall,
        "efficiency in all": share / wall,
    }


def lookup_speed(args: Args) -> dict[str, float]:
    """Returns the speed of a search over a table in this process."""
    benchmark = open_benchmark("nb201", "cifar10")
    assert benchmark is not None
    searcher = RegularizedEvolution(NatsTss(), fitness=Single(("valid_acc",)))
    began = time.perf_counter()
    rows = simulate(searcher, Lookup(benchmark, 200), num_samples=args.lookups)
    seconds = time.perf_counter() - began
    return {
        "look-ups (REA, simulate)": len(rows),
        "seconds": seconds,
        "look-ups per second": len(rows) / seconds,
    }


def main(args: Args) -> int:
    table = Table("quantity", "value")
    for name, value in {**lookup_speed(args), **tune_overhead(args)}.items():
        table.add_row(name, f"{value:,.3f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
