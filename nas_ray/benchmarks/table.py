"""A table file with documented columns as a benchmark: CSV, gzipped CSV or Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nas_ray.benchmarks.base import Evaluation, check_arch, known_number
from nas_ray.benchmarks.table_files import ending_of as ending_of
from nas_ray.benchmarks.table_files import read_stored
from nas_ray.errors import UsageError, encodable, printable
from nas_ray.images.datasets import get_dataset
from nas_ray.safe_files.stored_numbers import StoredTable
from nas_ray.safe_files.tables import ARCH
from nas_ray.spaces.base import FiniteSpace, ScheduledSpace
from nas_ray.spaces.nats_tss import NatsTss

SECONDS = ("train_seconds_per_epoch", "valid_seconds")
"""Columns of what a query costs, as `{dataset}_{column}`."""


class TableBenchmark:
    """One table that holds every arch of a finite space.

    Columns, for a dataset d, in percent and seconds:

    - `arch`: canonical string, each exactly once (required).
    - `d_test_acc_200`: test accuracy after 200 epochs, mean over seeds (required).
    - `d_valid_acc_200`, `d_valid_acc_12`: validation accuracy of the 200-epoch schedule, mean over seeds, and
      of the separate 12-epoch schedule.

    The epochs are the `schedules` of the space, the last one for the test: 12 and 200 for NATS-TSS and spaces
    that name none, 1, 12 and 90 for NATS-SSS.

    - `d_train_seconds_per_epoch`, `d_valid_seconds`: a query costs `epochs * train + valid` seconds.

    Other columns are not read.

    Args:
        path: a file that ends in .csv, .csv.gz or .parquet, or as `table_ending` knows it.
        dataset: published name of the dataset.
        space: the space whose archs the table holds; NATS-TSS if None.

    Raises:
        UsageError: unreadable file, missing column, archs that are missing, foreign or repeated, values that
            are no percentages or seconds.
    """

    name = "table"

    def __init__(self, path: Path | str, dataset: str, *, space: FiniteSpace | None = None) -> None:
        self.dataset = get_dataset(dataset).name
        self.path = Path(path)
        self.files = [self.path]
        self._title = f"table {encodable(self.path.name)}, {self.dataset}"
        self.acc_column = "test_acc"
        split = "ori-test (net trained on 50,000 images)" if self.dataset == "cifar10" else "x-test"
        space = space or NatsTss()
        self._schedules: tuple[int, ...] = (
            space.schedules if isinstance(space, ScheduledSpace) else NatsTss.schedules
        )
        last = self._schedules[-1]
        self.acc_source = f"{self._title} test split {split}, {last} epochs, mean over seeds"
        self._final = f"test_acc_{last}"
        table = read_stored(self.path)
        self._require(ARCH, f"{self.dataset}_{self._final}", held=table.names)
        self._archs = tuple(space)
        given = table.archs()
        self._check_archs(given)
        row = {arch: number for number, arch in enumerate(given)}
        order = [row[arch] for arch in self._archs]
        columns = (self._final, *(f"valid_acc_{epochs}" for epochs in self._schedules), *SECONDS)
        held = [column for column in columns if f"{self.dataset}_{column}" in table.names]
        self._values = {column: self._numbers(table, f"{self.dataset}_{column}", order) for column in held}
        self._index = {arch: index for index, arch in enumerate(self._archs)}

    @property
    def archs(self) -> Sequence[str]:
        """All archs of the space in its published index order."""
        return self._archs

    def query(self, arch: str, epochs: int, seed: int | None = None) -> Evaluation:
        """Returns the validation accuracy of `arch` and `epochs * train + valid` seconds.

        Args:
            arch: canonical string.
            epochs: a schedule of the space, such as 12 or 200.
            seed: None; a table holds no single seeds.

        Raises:
            UsageError: unknown arch or schedule, a seed, or a column that the table does not have.
        """
        check_arch(arch)
        if not known_number(epochs, self._schedules):
            held_epochs = " and ".join(map(str, self._schedules))
            raise UsageError(
                f"A table holds schedules of {held_epochs} epochs, got epochs={epochs!r}; ask for one of "
                "them."
            )
        if seed is not None:
            raise UsageError(
                f"A table holds no single training seeds, got seed={seed!r}; leave the seed out."
            )
        index = self._position(arch)
        columns = (f"valid_acc_{epochs}", *SECONDS)
        if any(column not in self._values for column in columns):
            held = ["arch", *(f"{self.dataset}_{column}" for column in self._values)]
            self._require(*(f"{self.dataset}_{column}" for column in columns), held=held)
        valid_acc, train, valid = (self._values[column][index] for column in columns)
        seeds = (
            "mean over seeds"
            if epochs == self._schedules[-1]
            else "the seed or mean of seeds that the table took"
        )
        split = f"{self._title} validation split x-valid, {epochs} epochs, {seeds}"
        return Evaluation(valid_acc, epochs * train + valid, epochs, split)

    def test_acc(self, arch: str) -> float:
        """Returns the test accuracy of `arch` after the longest schedule.

        Raises:
            UsageError: unknown arch.
        """
        return self._values[self._final][self._position(arch)]

    def all_test_acc(self) -> np.ndarray:
        """Returns `[len(archs)]`, the test accuracies in the order of `archs`."""
        return np.array(self._values[self._final])

    def _position(self, arch: str) -> int:
        check_arch(arch)
        if arch not in self._index:
            raise UsageError(
                f"The table {self.path} holds the {len(self._archs)} archs of its space, got {arch!r}, which "
                f"is not one of them; an arch there reads {self._archs[0]}."
            )
        return self._index[arch]

    def _require(self, *columns: str, held: list[str]) -> None:
        missing = [column for column in columns if column not in held]
        if missing:
            raise UsageError(
                f"The table {self.path} must have the column {missing[0]!r} for this, and has "
                f"{', '.join(printable(held))}; add the column or take another table."
            )

    def _check_archs(self, given: Sequence[object]) -> None:
        known = set(self._archs)
        # a list could not be looked up or counted
        foreign = [arch for arch in given if not isinstance(arch, str) or arch not in known]
        if foreign:
            got = " ".join(repr(foreign[0]).split())[:200]
            raise UsageError(
                f"The table {self.path} must hold archs of its space only, got {got}; an "
                f"arch there reads {self._archs[0]}."
            )
        (most, count), *_ = Counter(given).most_common(1) or [("", 0)]
        if count > 1:
            raise UsageError(
                f"The table {self.path} must hold each arch once, got {most} {count} times; remove the "
                "repeated rows."
            )
        if len(given) < len(self._archs):
            first = next(arch for arch in self._archs if arch not in set(given))
            raise UsageError(
                f"The table {self.path} must hold all {len(self._archs)} archs of its space, and {first} is "
                f"missing ({len(self._archs) - len(given)} are); complete the table."
            )

    def _numbers(self, table: StoredTable, name: str, order: list[int]) -> list[float]:
        """Returns the column `name` in the order of the space, all of it percentages or seconds."""
        percent = "_acc_" in name
        must = "percentages from 0 to 100" if percent else "finite seconds from 0"
        high = 100.0 if percent else float(np.finfo(float).max)
        values = table.numbers(name, must=must, within=(0.0, high))
        if percent and values.max() <= 1:
            raise UsageError(
                f"The column {name!r} of the table {self.path} must hold percentages from 0 to 100, "
                f"and no value is above {values.max():g}, as in fractions from 0 to 1; multiply it by 100."
            )
        return [float(value) for value in values[order]]
