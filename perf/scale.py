"""What the driver of a search costs as it grows: no-op trials on many logical workers of this machine.

    python perf/scale.py --num-samples 10000 --workers 8

A trial computes nothing, so that all time is that of Ray Tune and of the driver. Prints evaluations per
second, the driver's CPU and its memory along the search: the figures that docs/scaling.md calculates with.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import tyro
from rich.console import Console
from rich.table import Table

from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.pool import score_chunks
from nas_ray.drivers.resources import Plan, Request, start_ray
from nas_ray.drivers.tune_search import tune_search
from nas_ray.rows import Event
from nas_ray.searchers import SEARCHERS, Row, Single
from nas_ray.spaces import NatsTss

MIB = 2**20


@dataclasses.dataclass(frozen=True)
class Args:
    """Size of the measurement."""

    num_samples: int = 10_000
    """Evaluations."""
    workers: int = 8
    """Logical CPUs, and so workers; they need not be real."""
    archs_per_trial: int = 1
    """Archs of one trial."""
    searcher: str = "random_search"
    """Built-in searcher."""
    parts: int = 10
    """Parts of the search, each with a line."""
    chunks: int = 2_000
    """Chunks of no-op scores through the pool of score_space.py, 0 to leave it out."""
    chunk_size: int = 64
    """Archs of a chunk."""


@dataclasses.dataclass(frozen=True)
class Nothing:
    """An evaluator that does nothing, for one arch or for several."""

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports a row at once."""
        report({"x": float(len(arch)), "seconds": 0.0, "error": None})


def no_scores(archs: Sequence[str]) -> pd.DataFrame:
    """Returns rows as a scorer does, without computing anything."""
    return pd.DataFrame({"arch": list(archs), "x": 0.0, "seconds": 0.0, "error": None})


@dataclasses.dataclass
class Watch:
    """Time and memory at every row."""

    every: int
    at: list[float] = dataclasses.field(default_factory=list)
    memory: list[float] = dataclasses.field(default_factory=list)
    cpu: list[float] = dataclasses.field(default_factory=list)
    rows: int = 0

    def __call__(self, event: Event) -> None:
        """Notes the row of `event`, if it has one."""
        if event["event"] != "tell":
            return
        if self.rows % self.every == 0:
            driver = psutil.Process()
            self.at.append(time.perf_counter())
            self.memory.append(driver.memory_info().rss / MIB)
            self.cpu.append(sum(driver.cpu_times()[:2]))
        self.rows += 1

    def lines(self) -> list[tuple[float, float, float]]:
        """Returns rows per second, the driver's milliseconds of CPU per row, and its MiB, for every part."""
        seconds, cpu = np.diff(self.at), np.diff(self.cpu)
        return list(zip(self.every / seconds, 1000 * cpu / self.every, self.memory[1:], strict=True))


def main(args: Args) -> int:
    """Runs the search and prints the table."""
    plan = start_ray(Request(args.workers, num_gpus=0))
    watch = Watch(max(1, args.num_samples // args.parts))
    searcher = SEARCHERS[args.searcher](NatsTss(), fitness=Single(("x",)))
    with tempfile.TemporaryDirectory() as folder:
        table = tune_search(
            searcher,
            Nothing(),
            folder=Path(folder),
            num_samples=args.num_samples + 1,  # the first row is where the clock starts
            max_concurrent=args.workers,
            archs_per_trial=args.archs_per_trial,
            on_event=watch,
        )
    if args.chunks:
        pool(args, plan)
    stop_ray()
    show(watch.lines(), watch, len(table), int(table["worker"].nunique()))
    return 0


def pool(args: Args, plan: Plan) -> None:
    """Prints what the pool of `score_space.py` costs its driver."""
    archs = list(islice(NatsTss(), args.chunk_size))
    chunks = [archs] * args.chunks
    driver = psutil.Process()
    began, cpu, memory, rows = 0.0, 0.0, 0.0, 0
    for _, table in score_chunks(no_scores, chunks, plan, columns=["x"]):
        if not rows:  # the workers are up
            began, cpu, memory = time.perf_counter(), sum(driver.cpu_times()[:2]), driver.memory_info().rss
        rows += len(table)
    seconds, spent = time.perf_counter() - began, sum(driver.cpu_times()[:2]) - cpu
    Console().print(
        f"Pool: {rows:,} archs in {args.chunks:,} chunks, {rows / seconds:,.0f} archs and "
        f"{args.chunks / seconds:.0f} chunks per second, {1000 * spent / args.chunks:.2f} ms of driver's CPU "
        f"per chunk; its memory grew by {(driver.memory_info().rss - memory) / MIB:.0f} MiB.",
        highlight=False,
        soft_wrap=True,
    )


def show(lines: list[tuple[float, float, float]], watch: Watch, rows: int, workers: int) -> None:
    """Prints the parts and the two figures of the whole."""
    shown = Table("evaluations", "per second", "driver's CPU, ms each", "driver's memory, MiB")
    for number, (speed, cpu, memory) in enumerate(lines):
        shown.add_row(f"{(number + 1) * watch.every:,}", f"{speed:.0f}", f"{cpu:.2f}", f"{memory:.0f}")
    console = Console()
    console.print(shown)
    grown = watch.memory[-1] - watch.memory[0]
    each = grown * 10_000 / max(1, watch.every * len(lines))
    console.print(
        f"{rows:,} rows on {workers} workers; memory grew by {grown:.0f} MiB ({each:.0f} per 10,000 rows); "
        f"speed of the last part {lines[-1][0] / lines[0][0]:.0%} of the first.",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
