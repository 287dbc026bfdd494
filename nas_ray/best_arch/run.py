"""Runs of `best_arch`, as a table with their accuracy in a benchmark."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from nas_ray.benchmarks import Benchmark
from nas_ray.benchmarks.whole import known_benchmarks
from nas_ray.best_arch.args import BestArgs
from nas_ray.best_arch.best_arch import Found, best_arch
from nas_ray.drivers.lifecycle import begin_ray, ending_in, guarded
from nas_ray.drivers.resources import Request, check_request, request_of
from nas_ray.drivers.weights import check_weights
from nas_ray.errors import UsageError
from nas_ray.images.identity import BENCHMARK, IMAGES, benchmark_sha256, check_unchanged
from nas_ray.images.image_args import open_image_args
from nas_ray.images.image_data import ImageDataModule
from nas_ray.process.started import command_for
from nas_ray.proxies import PROXIES
from nas_ray.proxies.undefined import check_defined
from nas_ray.runs.claim import claimed
from nas_ray.runs.folder import FILE_NAME, read_run
from nas_ray.runs.record import Record
from nas_ray.runs.writing import write_table
from nas_ray.safe_files.stored_numbers import with_numbers
from nas_ray.safe_files.tables import read_own_table
from nas_ray.spaces import NatsTss
from nas_ray.terminal.console import Rows, error_console, put, say
from nas_ray.terminal.next_steps import options_of, say_next
from nas_ray.terminal.ranges import check_ranges

EXPERIMENT = "best_arch"
DECIDING = ("seed", "dataset", "images", "benchmark", "batch_size", "channels", "cells")
"""Arguments that decide what a run finds and says."""


def run(args: BestArgs, console: Console) -> int:
    """Makes the runs, prints and writes their table; returns the exit code.

    Raises:
        UsageError: bad input, told before Ray starts.
    """
    check_ranges(args)
    request = request_of(args)
    check_request(request)
    out = args.out or Path("runs") / f"best-{args.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"
    space = NatsTss(args.channels, args.cells)
    check_weights(space, request)
    benchmarks = known_benchmarks(args.benchmark)
    batches = [minibatch(args, args.seed + number) for number in range(args.runs)]
    with claimed(out, EXPERIMENT):
        hashes = used(batches[0], benchmarks)
        rows = earlier_rows(out, args, hashes)
        record = Record(out, EXPERIMENT, args, **hashes)
        done = {"done": lambda: f" after {len(rows)} of {args.runs} runs"}
        ending = ending_in(out, "run", record.end, "finished runs", **done)

        def work() -> int:
            record.begin()
            make_runs(space, batches, args, request, benchmarks, rows, out, record, console)
            record.end("finished")
            show(pd.DataFrame(rows), list(benchmarks), console)
            say(console, f"Folder: {out}")
            words = options_of(args, "dataset", "images")
            found = str(rows[-1]["arch"])
            say_next(console, command_for("train", "--arch", found, *words), command_for("rea", *words))
            return 0

        return guarded(work, ending, console)


def make_runs(
    space: NatsTss,
    batches: Sequence[ImageDataModule],
    args: BestArgs,
    request: Request,
    benchmarks: dict[str, Benchmark],
    rows: list[dict[str, object]],
    out: Path,
    record: Record,
    console: Console,
) -> None:
    """Adds the runs that `rows` lack, and writes the table after each."""
    plan = begin_ray(request, error_console())
    say(console, f"best of {len(space):,} archs, {plan.where}, {batches[0].description}")
    for note in dict.fromkeys(images.note for images in batches if images.note):
        say(console, note)
    for number, images in list(enumerate(batches))[len(rows) :]:
        found = best_arch(space, images, plan, init_seed=args.seed + number)
        rows.append({"seed": args.seed + number, **facts(found, benchmarks)})
        write_table(out, pd.DataFrame(rows), "best")
        record.wrote("best")
        say(console, said(found))


def earlier_rows(
    out: Path, args: BestArgs, hashes: Mapping[str, str] | None = None
) -> list[dict[str, object]]:
    """Returns the runs that `out` holds already, of an interruption or of fewer runs.

    Args:
        out: the folder.
        args: from the command line.
        hashes: of images and benchmark; None compares none.

    Raises:
        UsageError: they were made with other arguments, images or numbers, or hold text where a number must
            be.
    """
    if not (out / FILE_NAME).is_file() or not (out / "best.parquet").is_file():
        return []
    info = read_run(out)
    held = info.get("settings") or {}
    asked = json.loads(json.dumps(dataclasses.asdict(args), default=str))
    for name in DECIDING:
        if held.get(name) != asked[name]:
            option = name.replace("_", "-")
            raise UsageError(
                f"The folder {out} holds runs with --{option} {held.get(name)}, not {asked[name]}; choose "
                "another --out."
            )
    check_unchanged(info, hashes or {}, f"The folder {out}", "choose another --out")
    table = read_own_table(out / "best.parquet", "best_arch.py", "runs")
    table = with_numbers(table, f"the table {out / 'best.parquet'}")
    return [
        {str(key): value for key, value in row.items()} for row in table.head(args.runs).to_dict("records")
    ]


def minibatch(args: BestArgs, seed: int) -> ImageDataModule:
    """Returns the images of one run."""
    images = open_image_args(args, batch_size=args.batch_size, batch_seed=seed)
    check_defined({"naswot": PROXIES["naswot"]}, images.minibatch()[1], images.num_classes)
    return images


def used(images: ImageDataModule, benchmarks: Mapping[str, Benchmark]) -> dict[str, str]:
    """Returns hashes of the images and of the benchmark whose numbers are kept."""
    return {IMAGES: images.sha256, BENCHMARK: benchmark_sha256(benchmarks.values())}


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
        "margin": found.proof.margin,
        "nets": found.nets,
        "naswot_nets": len(found.proof.values),
        "seconds": found.seconds,
    }


def said(found: Found) -> str:
    """Returns a run in a sentence."""
    proof = found.proof
    return (
        f"{proof.arch}  score at least {proof.score:.3f}, {proof.margin:.3f} or more above all others; "
        f"logsynflow of {found.nets:,} nets, naswot of {len(proof.values)}, {found.seconds:.0f} s"
    )


def show(table: pd.DataFrame, datasets: Sequence[str], console: Console) -> None:
    """Prints mean and standard deviation over the runs."""
    shown = Rows("runs", "different archs", *datasets, "seconds a run", box=None)
    means = [
        f"{table[column].mean():.2f} +- {table[column].std(ddof=0):.2f}"
        for dataset in datasets
        for column in map(str, table)
        if column.startswith(f"{dataset}_")
    ]
    shown.add_row(str(len(table)), str(table["arch"].nunique()), *means, f"{table['seconds'].mean():.0f}")
    put(console, shown)
