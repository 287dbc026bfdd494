"""The arguments of `nas-ray audit`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from nas_ray.errors import UsageError
from nas_ray.terminal.ranges import Range, check_ranges


@dataclass(frozen=True)
class AuditArgs:
    """Which table, and what it is held against."""

    results: tyro.conf.Positional[Path]
    """Table of results (.csv, .tsv or .parquet), a line per method. A column is named after dataset and
    split, such as cifar10, "CIFAR-100 test" or cifar10_valid_12; its cells read 93.94, 93.94±0.40 or
    "93.94 +- .40", or the deviation has a column of its own, such as cifar10_test_std."""
    space: str = "nats-tss"
    """Search space of the results, of which the benchmark must hold every arch: nats-tss or nats-sss."""
    benchmark: str = "auto"
    """Accuracy of all archs: the path of a table file; auto and nb201 have none of test accuracy."""
    searched: Literal["once", "each", "unknown"] = "unknown"
    """once: every run found one arch, whose accuracy is told on all datasets. each: it searched on each
    dataset by itself. A column `searched` says it line by line. unknown: what only one of them allows is a
    doubt."""
    runs: Annotated[int | None, Range(1, 10**7)] = None
    """Runs behind each mean, where no column `runs`, `seeds` or `n` says it."""
    slack: Annotated[float, Range(0.0, 100.0)] = 0.0
    """Points by which a value may be off besides its rounding, as where nets of single training seeds count
    and the benchmark has their means."""
    out: Path | None = None
    """Table of verdicts to write; the name ends in .csv, .csv.gz or .parquet."""

    def check(self) -> None:
        """Checks what needs no data.

        Raises:
            UsageError: no such file, or a number out of range.
        """
        check_ranges(self)
        if not self.results.exists():
            raise UsageError(f"The table to audit must be a file, got {self.results}, which is not there.")
