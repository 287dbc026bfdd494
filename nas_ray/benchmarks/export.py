"""The rows of a table from the official NATS-Bench files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from nas_ray.benchmarks.nats import NatsSpace, find_archives, read_archive, test_accuracy, validation
from nas_ray.images.datasets import DATASETS
from nas_ray.process.processes import process_pool


def export_rows(
    directory: Path, *, allow_missing: bool = False, workers: int = 1
) -> Iterator[dict[str, Any]]:
    """Yields the table's row of each arch in index order; each of `workers` processes holds one archive.

    Raises:
        UsageError: no complete official directory, unless `allow_missing`, or a damaged archive.
    """
    space, jobs = find_archives(directory, allow_missing=allow_missing)
    if workers == 1:
        yield from map(partial(export_row, directory, space), jobs)
        return
    with process_pool(workers) as pool:
        yield from pool.map(partial(export_row, directory, space), jobs, chunksize=16)


def export_row(directory: Path, space: NatsSpace, index: int) -> dict[str, Any]:
    """Returns the table's row of one arch: what `NatsBenchmark` answers with `seed=None`."""
    results, path = read_archive(directory, space, index)
    row: dict[str, Any] = {"index": index, "arch": space[index]}
    *shorter, last = space.schedules
    for dataset in DATASETS:
        long, train, valid = validation(results, dataset, last, path)
        row[f"{dataset}_test_acc_{last}"] = test_accuracy(results, path, dataset, space)
        row[f"{dataset}_valid_acc_{last}"] = long
        for epochs in reversed(shorter):
            row[f"{dataset}_valid_acc_{epochs}"] = validation(results, dataset, epochs, path)[0]
        row[f"{dataset}_train_seconds_per_epoch"] = train
        row[f"{dataset}_valid_seconds"] = valid
    return row
