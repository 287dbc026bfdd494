"""Archs of any space with the accuracy of their trainings: a table that one makes oneself."""

from __future__ import annotations

import re
from pathlib import Path

from nas_ray.benchmarks.table import TableBenchmark
from nas_ray.benchmarks.table_files import read_stored
from nas_ray.errors import UsageError, printable
from nas_ray.images.datasets import get_dataset
from nas_ray.safe_files.tables import ARCH
from nas_ray.spaces.base import SearchSpace
from nas_ray.spaces.listed import Listed
from nas_ray.spaces.needs import is_member


def trained_archs(path: Path, dataset: str, space: SearchSpace) -> tuple[Listed, TableBenchmark]:
    """Returns the archs of a table as a space, and the table as a benchmark of them.

    Args:
        path: a table as `TableBenchmark` reads it, with some archs of `space` and a column
            `DATASET_test_acc_EPOCHS`; of several the one of most epochs counts.
        dataset: published name of the dataset.
        space: builds the archs.

    Raises:
        UsageError: no such column, archs that are not of the space, or a table that cannot be used.
    """
    name = get_dataset(dataset).name
    table = read_stored(path)
    column = re.compile(rf"{re.escape(name)}_test_acc_([1-9]\d{{0,5}})")
    epochs = sorted(int(found[1]) for text in table.names if (found := column.fullmatch(text)))
    if ARCH not in table.names or not epochs:
        raise UsageError(
            f"The table {path} must have the columns arch and {name}_test_acc_EPOCHS, such as "
            f"{name}_test_acc_600, and has {', '.join(printable(table.names))}; add what is missing."
        )
    archs = table.archs()
    for arch in archs:
        if not isinstance(arch, str) or not is_member(space, arch):
            raise UsageError(
                f"The table {path} must hold archs of the space alone, got {printable([arch])[0]}; give the "
                "--space of these archs, or another table."
            )
    listed = Listed(space, list(dict.fromkeys(archs)), epochs)
    return listed, TableBenchmark(path, dataset, space=listed)
