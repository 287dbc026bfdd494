"""The accuracy of the rows of a run: what its table holds, or a look-up in a benchmark."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nas_ray.benchmarks.base import Benchmark, known_accuracy
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.rows import final_archs
from nas_ray.safe_files.stored_numbers import row_numbers
from nas_ray.spaces.settings import arch_of
from nas_ray.text.spec import TEXT

COLUMNS = ("benchmark_test_acc", "benchmark_valid_acc", "test_acc", "valid_acc")

Joined = tuple[pd.DataFrame, str, str | None, list[str]]
"""Rows with column `accuracy`, the honest name of it, what it is (None if unknown), and notes."""


class Accuracies:
    """Looks up accuracy for the runs of one report; each benchmark is opened once.

    Args:
        benchmark: what to use instead of what the runs say, as in the searches; None to believe them.
    """

    def __init__(self, benchmark: str | None = None) -> None:
        self._given = benchmark
        self._opened: dict[tuple[str, str], Benchmark | None] = {}

    def join(
        self,
        rows: pd.DataFrame,
        dataset: str,
        spec: str,
        scores: Sequence[str] = (),
        *,
        folder: Path | str = "the run",
    ) -> Joined:
        """Returns `rows` with the column `accuracy` in percent, NaN where it is not known.

        Args:
            rows: with `arch`; a column `test_acc` or `valid_acc` counts if no benchmark was given.
            dataset: of the benchmark.
            scores: columns that are scores, whatever they are called.
            spec: benchmark of the run, used where its table has no accuracy.
            folder: of the run, for messages.

        Raises:
            UsageError: the benchmark that was given cannot be used; one of the run's own leads to a note. Or
                an accuracy in the table is no number.
        """
        held = next((name for name in COLUMNS if name in rows and name not in scores), None)
        if self._given is None and held is not None:
            accuracy = row_numbers(rows, held, f"the table of {folder}")
            return rows.assign(accuracy=accuracy), held, _source(rows), []
        if dataset == TEXT:  # which no benchmark knows, and is nothing to warn of
            return rows.assign(accuracy=np.nan), "accuracy", None, []
        try:
            benchmark = self._open(self._given or spec, dataset)
        except UsageError as error:
            if self._given is not None:
                raise
            said = f"No benchmark accuracy: that of the run cannot be used here ({error}) Give --benchmark."
            return rows, "accuracy", None, [said]
        if benchmark is None:
            return rows.assign(accuracy=np.nan), "accuracy", None, []
        known = _known(benchmark, final_archs(rows))
        if not known.notna().any():
            said = f"No benchmark accuracy: {benchmark.acc_source} has none of these archs."
            named = (self._given or spec) != "auto"  # that no benchmark knows a space is nothing to warn of
            return rows, "accuracy", None, [said] if named else []
        return rows.assign(accuracy=known), benchmark.acc_column, benchmark.acc_source, []

    def every(self, dataset: str, spec: str, source: str | None) -> np.ndarray | None:
        """Returns the accuracies of all archs in percent; None where no benchmark at hand is the `source`.

        Args:
            dataset: of the benchmark.
            spec: benchmark of the run, used where none was given.
            source: what the accuracy of the rows is.
        """
        by_arch = self.by_arch(dataset, spec, source)
        known = [value for value in by_arch.values() if np.isfinite(value)]
        return np.array(known) if known else None

    def by_arch(self, dataset: str, spec: str, source: str | None) -> dict[str, float]:
        """Returns the accuracy of every arch in percent; none where no benchmark at hand is the `source`.

        Args:
            dataset: of the benchmark.
            spec: benchmark of the run, used where none was given.
            source: what the accuracy of the rows is.
        """
        if source is None or dataset not in DATASETS:
            return {}
        with contextlib.suppress(UsageError):  # of the run, and gone since
            benchmark = self._open(self._given or spec, dataset)
            if benchmark is not None and benchmark.acc_source == source:
                every = benchmark.all_test_acc()
                return {} if every is None else dict(zip(benchmark.archs, every.tolist(), strict=True))
        return {}

    def _open(self, spec: str, dataset: str) -> Benchmark | None:
        from nas_ray.benchmarks import open_benchmark  # takes seconds

        if (spec, dataset) not in self._opened:
            self._opened[spec, dataset] = open_benchmark(spec, dataset)
        return self._opened[spec, dataset]


def _known(benchmark: Benchmark, archs: pd.Series[str]) -> pd.Series[float]:
    """Returns the accuracy of every arch in percent, NaN where the benchmark has none."""
    archs = archs.map(arch_of)
    everything = benchmark.all_test_acc()
    if everything is None:
        return archs.map({arch: known_accuracy(benchmark, arch) for arch in archs.unique()}).astype(float)
    return archs.map(dict(zip(benchmark.archs, everything.tolist(), strict=True))).astype(float)


def _source(rows: pd.DataFrame) -> str:
    sources = rows["acc_source"].dropna() if "acc_source" in rows else pd.Series(dtype=object)
    return str(sources.iloc[0]) if len(sources) else "a benchmark that the table does not name"
