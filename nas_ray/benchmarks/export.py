"""The rows of a table from the official NATS-Bench files."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from nas_ray.benchmarks.nats import find_archives, read_archive, test_accuracy, validation
from nas_ray.datasets import DATASETS
from nas_ray.spaces.nats_tss import NatsTss


def export_rows(
    directory: Path, *, allow_missing: bool = False, workers: int = 1
) -> Iterator[dict[str, Any]]:
    """Yields the table's row of each arch in index order; each of `workers` processes holds one archive.

    Raises:
        UsageError: no complete official directory, unless `allow_missing`, or a damaged archive.
    """
    archs = NatsTss().archs
    jobs = [(index, archs[index]) for index in find_archives(directory, allow_missing=allow_missing)]
    if workers == 1:
        yield from map(partial(export_row, directory), jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(partial(export_row, directory), jobs, chunksize=16)


def export_row(directory: Path, job: tuple[int, str]) -> dict[str, Any]:
    """Returns the table's row of one `(index, arch)`: what `NatsBenchmark` answers with `seed=None`."""
    results, path = read_archive(directory, *job)
    row: dict[str, Any] = {"index": job[0], "arch": job[1]}
    for dataset in DATASETS:
        long, train, valid = validation(results, dataset, 200, path)
        short, _, _ = validation(results, dataset, 12, path)
        row[f"{dataset}_test_acc_200"] = test_accuracy(results, path, dataset)
        row[f"{dataset}_valid_acc_200"] = long
        row[f"{dataset}_valid_acc_12"] = short
        row[f"{dataset}_train_seconds_per_epoch"] = train
        row[f"{dataset}_valid_seconds"] = valid
    return row
