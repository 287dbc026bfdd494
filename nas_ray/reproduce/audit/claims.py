"""What a table of results claims: means and deviations of accuracy, by dataset, split and schedule."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from nas_ray.errors import UsageError, describe, printable
from nas_ray.safe_files.tables import open_text, read_table

TEST, VALID = "test", "valid"
_DATASETS: Final = {
    "ImageNet16-120": r"imagenet[-_ ]?16(?:[-_ ]?120)?|in[-_ ]?16(?:[-_ ]?120)?",
    "cifar100": r"cifar[-_ ]?100|c100",
    "cifar10": r"cifar[-_ ]?10|c10",
}
_DEVIATION: Final = re.compile(r"(?:^|[^a-z])(?:std|sd|dev(?:iation)?|stdev|±)(?:[^a-z]|$)", re.IGNORECASE)
_ERROR: Final = re.compile(r"(?:^|[^a-z])err(?:or)?s?(?:[^a-z]|$)", re.IGNORECASE)
_RUNS: Final = ("runs", "seeds", "n", "repeats", "trials")
_SEARCHED: Final = "searched"
SEPARATORS: Final = (",", ";", "\t", "|")
_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_CELL: Final = re.compile(
    rf"^({_NUMBER})\s*%?\s*(?:(?:±|\+-|\+/-|\\pm)\s*({_NUMBER})|\(\s*({_NUMBER})\s*\))?\s*%?$"
)
_NOTHING: Final = ("", "-", "--", "\u2013", "n/a", "na", "nan", "none", "?")


@dataclass(frozen=True, order=True)
class Measure:
    """An accuracy that a benchmark knows.

    Attributes:
        dataset: its published name.
        split: `test` or `valid`.
        epochs: of the schedule; 0 for the longest one.
    """

    dataset: str
    split: str
    epochs: int = 0

    def __str__(self) -> str:
        return f"{self.dataset} {self.split}" + (f" after {self.epochs} epochs" if self.epochs else "")


@dataclass(frozen=True)
class Claim:
    """A mean as it was printed, in percent.

    Attributes:
        mean: the mean.
        rounding: by how much it may be off, half a unit of its last digit.
        deviation: standard deviation of the runs; None if it is not told.
        deviation_rounding: as `rounding`.
    """

    mean: float
    rounding: float
    deviation: float | None = None
    deviation_rounding: float = 0.0

    def __str__(self) -> str:
        digits = max(0, round(-math.log10(2 * self.rounding)))
        spread = "" if self.deviation is None else f" ± {self.deviation:.{digits}f}"
        return f"{self.mean:.{digits}f}{spread}"


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Attributes:
        name: of the method.
        number: of the row, from 1.
        claims: what it says, by measure.
        runs: behind each mean; None if it is not told.
        searched: `once`, `each`, or `unknown`.
    """

    name: str
    number: int
    claims: dict[Measure, Claim] = field(default_factory=dict)
    runs: int | None = None
    searched: str = "unknown"


def read_lines_of(path: Path, runs: int | None, searched: str) -> tuple[list[Line], list[str]]:
    """Returns the rows of a table, and the names of columns that say nothing that is understood.

    Args:
        path: of the table.
        runs: behind each mean where no column says it.
        searched: of rows where no column says it.

    Raises:
        UsageError: no table, no column of an accuracy, or a cell that is none.
    """
    table = _read(path)
    if not len(table):
        raise UsageError(f"The table {path} must have a row for each method, and has none.")
    means, spreads = _measures(list(table.columns), path)
    counts = next((name for name in table.columns if name.strip().lower() in _RUNS), None)
    how = next((name for name in table.columns if name.strip().lower() == _SEARCHED), None)
    known = {*means.values(), *spreads.values(), counts, how}
    names = next((name for name in table.columns if name not in known), None)
    lines = []
    for number, cells in enumerate(table.to_dict("records"), 1):
        row = {str(column): cell for column, cell in cells.items()}
        name = str(row[names]).strip() if names is not None else f"row {number}"
        where = f"row {number} ({printable([name])[0]}) of {path}"
        claims = {
            measure: claim
            for measure, column in means.items()
            if (claim := _claim(row, column, spreads.get(measure), where)) is not None
        }
        told = None if counts is None else _runs(row[counts], where)
        said = "" if how is None else str(row[how]).strip().lower()
        lines.append(Line(name, number, claims, told or runs, _how(said, where) if said else searched))
    return lines, [str(name) for name in table.columns if name not in known and name != names]


def measure_of(column: str) -> Measure | None:
    """Returns the accuracy that a column is named after, such as `CIFAR-10 test`; None for none."""
    rest = column.strip()
    for dataset, pattern in _DATASETS.items():
        found = re.search(rf"(?<![a-z0-9])(?:{pattern})(?![0-9])", rest, re.IGNORECASE)
        if found:
            rest = rest[: found.start()] + " " + rest[found.end() :]
            split = VALID if re.search(r"val", rest, re.IGNORECASE) else TEST
            epochs = re.search(r"(?<!\d)(?<!top)(?<!top[-_ ])\d{1,4}(?!\d)", rest)
            return Measure(dataset, split, int(epochs.group()) if epochs else 0)
    return None


def _read(path: Path) -> pd.DataFrame:
    if path.is_dir():
        raise UsageError(f"The table of results must be a file, got the folder {path}; name a file in it.")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return read_table(path).astype(str)
        with open_text(path) as file:
            head = file.readline()
            file.seek(0)
            between = max(SEPARATORS, key=head.count)  # a guess of pandas may be a letter of a name
            return pd.read_csv(file, sep=between, engine="python", dtype=str, keep_default_na=False)
    except Exception as error:  # whatever a reader may raise on any bytes
        raise UsageError(
            f"The table {path} must be a .csv, .tsv or .parquet file with a line of names, and cannot be "
            f"read ({describe(error)})."
        ) from error


def _measures(columns: Sequence[str], path: Path) -> tuple[dict[Measure, str], dict[Measure, str]]:
    means: dict[Measure, str] = {}
    spreads: dict[Measure, str] = {}
    for column in map(str, columns):
        measure = measure_of(column)
        if measure is None:
            continue
        if _ERROR.search(column):
            raise UsageError(
                f"Columns of {path} must be accuracies in percent, got {column!r}, which is an error; "
                "subtract it from 100."
            )
        kind = spreads if _DEVIATION.search(column) else means
        if measure in kind:
            raise UsageError(
                f"Columns of {path} must be of different accuracies, got {kind[measure]!r} and {column!r}, "
                f"which are both of {measure}; rename one."
            )
        kind[measure] = column
    if not means:
        raise UsageError(
            f"{path} must have a column named after a dataset and a split, such as cifar10_test, got "
            f"{', '.join(printable(list(map(str, columns))))}."
        )
    return means, spreads


def _claim(row: dict[str, object], column: str, spread: str | None, where: str) -> Claim | None:
    text = str(row[column]).strip()
    if text.lower() in _NOTHING:
        return None
    found = _CELL.match(text)
    if found is None:
        raise UsageError(
            f"An accuracy must read 93.94 or 93.94±0.40, got {text[:60]!r} as {column} in {where}."
        )
    mean = found.group(1)
    apart = "" if spread is None else str(row[spread]).strip()
    deviation = found.group(2) or found.group(3) or (None if apart.lower() in _NOTHING else apart)
    if deviation is not None and not re.fullmatch(_NUMBER, deviation):
        raise UsageError(f"A deviation must be a number, got {deviation[:60]!r} as {spread} in {where}.")
    if not 0 <= float(mean) <= 100 or (deviation is not None and float(deviation) < 0):
        raise UsageError(
            f"An accuracy must be from 0 to 100 percent, its deviation not below 0, got {text[:60]!r} as "
            f"{column} in {where}."
        )
    if deviation is None:
        return Claim(float(mean), _half_unit(mean))
    return Claim(float(mean), _half_unit(mean), float(deviation), _half_unit(deviation))


def _half_unit(text: str) -> float:
    return 0.5 * 10.0 ** -len(text.partition(".")[2])


def _runs(cell: object, where: str) -> int | None:
    text = str(cell).strip().replace(",", "")
    if text.lower() in _NOTHING:
        return None
    if not re.fullmatch(r"\d{1,9}(?:\.0*)?", text) or not int(float(text)):
        raise UsageError(f"The number of runs must be a whole number from 1, got {text[:60]!r} in {where}.")
    return int(float(text))


def _how(said: str, where: str) -> str:
    if said not in ("once", "each", "unknown"):
        raise UsageError(f"searched must be once, each or unknown, got {said[:60]!r} in {where}.")
    return said
