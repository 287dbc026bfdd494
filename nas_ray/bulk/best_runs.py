"""Runs of `best_arch`, as a table with their accuracy in a benchmark."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.bulk.best_arch import Found, best_arch
from nas_ray.bulk.best_args import BestArgs
from nas_ray.datasets import DATASETS
from nas_ray.errors import UsageError
from nas_ray.interrupts import stop_ray
from nas_ray.modules.data import ImageDataModule
from nas_ray.resources import Request, check_request, start_ray
from nas_ray.runs import write_table
from nas_ray.spaces import NatsTss


def run(args: BestArgs, console: Console) -> int:
    """Makes the runs, prints and writes their table; returns the exit code.

    Raises:
        UsageError: bad input, told before Ray starts.
    """
    if args.runs < 1:
        raise UsageError(f"--runs must be at least 1, got {args.runs}.")
    request = Request(args.num_cpus, args.num_gpus, address=args.address)
    check_request(request)
    space = NatsTss(args.channels, args.cells)
    benchmarks = known_benchmarks(args.benchmark)
    batches = [minibatch(args, args.seed + number) for number in range(args.runs)]
    out = args.out or Path("runs") / f"best-{args.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    try:
        plan = start_ray(request)
        console.print(
            f"best of {len(space):,} archs, {plan.where}, {batches[0].description}", highlight=False
        )
        for number, images in enumerate(batches):
            found = best_arch(space, images, plan, init_seed=args.seed + number)
            rows.append({"seed": args.seed + number, **facts(found, benchmarks)})
            write_table(out, pd.DataFrame(rows), "best")
            console.print(said(found), highlight=False, soft_wrap=True)
    finally:
        stop_ray()
    show(pd.DataFrame(rows), list(benchmarks), console)
    console.print(f"Folder: {out}", highlight=False, soft_wrap=True)
    return 0


def minibatch(args: BestArgs, seed: int) -> ImageDataModule:
    """Returns the images of one run."""
    return ImageDataModule(args.images, dataset=args.dataset, batch_size=args.batch_size, batch_seed=seed)


def known_benchmarks(spec: str) -> dict[str, Benchmark]:
    """Returns the benchmark of each dataset that `spec` knows."""
    opened = {dataset: open_benchmark(spec, dataset) for dataset in DATASETS}
    return {dataset: benchmark for dataset, benchmark in opened.items() if benchmark is not None}


def facts(found: Found, benchmarks: dict[str, Benchmark]) -> dict[str, object]:
    """Returns a run as a row."""
    accuracy = {
        f"{dataset}_{benchmark.acc_column}": benchmark.test_acc(found.proof.arch)
        for dataset, benchmark in benchmarks.items()
    }
    return {
        "arch": found.proof.arch,
        **accuracy,
        "score": found.proof.score,
        "bound_of_others": found.proof.bound,
        "nets": found.nets,
        "naswot_nets": len(found.proof.values),
        "seconds": found.seconds,
    }


def said(found: Found) -> str:
    """Returns a run in a sentence."""
    proof = found.proof
    return (
        f"{proof.arch}  score at least {proof.score:.3f}, all others at most {proof.bound:.3f}; logsynflow "
        f"of {found.nets:,} nets, naswot of {len(proof.values)}, {found.seconds:.0f} s"
    )


def show(table: pd.DataFrame, datasets: Sequence[str], console: Console) -> None:
    """Prints mean and standard deviation over the runs."""
    shown = Table("runs", "different archs", *datasets, "seconds a run", box=None)
    means = [
        f"{table[column].mean():.2f} +- {table[column].std(ddof=0):.2f}"
        for dataset in datasets
        for column in map(str, table)
        if column.startswith(f"{dataset}_")
    ]
    shown.add_row(str(len(table)), str(table["arch"].nunique()), *means, f"{table['seconds'].mean():.0f}")
    console.print(shown)
