"""Reads what a `Tuner` of Ray left, its folder or a table of its results, for a report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.benchmarks.base import BENCHMARK_PREFIX
from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.images.datasets import get_dataset
from nas_ray.report.accuracies import COLUMNS, Accuracies
from nas_ray.report.run_data import RunData, complete
from nas_ray.rows import ACCURACY, GPU_MEMORY, MEASURED, OF_SECONDS, PLACES, TRAILING, TRAINING, Row
from nas_ray.runs.kinds import is_table
from nas_ray.safe_files.stored_numbers import to_number
from nas_ray.safe_files.tables import read_table
from nas_ray.safe_files.tune_folder import CONFIG, OF_TUNE, read_tune_folder
from nas_ray.searchers.fitness import Fitness, Single, parse_fitness

CONFIG_ARCH = f"{CONFIG}/arch"
VALID = "valid_"
"""How the column begins that a training is judged by."""
NO_SCORES = frozenset({*TRAINING, *TRAILING, *ACCURACY, *PLACES, GPU_MEMORY, "trial", "score"})


@dataclass(frozen=True)
class Judged:
    """How rows are judged that no run folder of ours describes.

    Attributes:
        fitness: what decides, as a search has it; None for `valid_acc` of a training, else all scores.
        smallest: whether the smallest is the best.
        dataset: of a benchmark that is given.
    """

    fitness: str | None = None
    smallest: bool = False
    dataset: str = "cifar10"


class Smallest:
    """A fitness turned round: the smallest value is the best."""

    relative = False

    def __init__(self, of: Fitness) -> None:
        self.of = of
        self.relative = bool(getattr(of, "relative", True))

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Returns `[rows]` values, undefined ones as the worst."""
        values = self.of(rows)
        return np.where(np.isfinite(values), -values, -np.inf)

    def __str__(self) -> str:
        return f"the smallest {self.of}"


def read_tuned(path: Path, accuracies: Accuracies, judged: Judged) -> RunData:
    """Returns the trials of a Tuner's folder, or the rows of a table of archs, as a report sees them.

    Args:
        path: the folder of an experiment, or a table such as one of `get_dataframe()`.
        accuracies: where to look up what it does not hold.
        judged: how the rows are judged.

    Raises:
        UsageError: it cannot be read, has no archs or no scores, or is to be judged by what it does not have.
    """
    get_dataset(judged.dataset)
    rows = _without_tunes(_read(path))
    scores = _scores(rows, _named(judged.fitness))
    if not scores:
        raise UsageError(
            f"A report needs a column of numbers to compare archs by, and {path} has "
            f"{', '.join(printable(rows.columns))}; let the trials report one."
        )
    fitness = _fitness(judged, scores)
    rows = complete(rows.drop(columns=["fitness"], errors="ignore"), scores, fitness, path)
    rows, column, source, notes = accuracies.join(rows, judged.dataset, "none", scores, folder=path)
    known = "finished_at" in rows
    return RunData(
        folder=path,
        name=path.resolve().name,
        experiment="table" if is_table(path) else "Ray Tune",
        dataset=judged.dataset if source else "unknown",
        space="unknown",
        settings={"fitness": judged.fitness, "mode": "min" if judged.smallest else "max"},
        info={},
        rows=rows,
        scores=scores,
        fitness=fitness,
        is_search=known,
        acc_column=column,
        acc_source=source,
        best={},
        notes=tuple(notes),
        every_accuracy=accuracies.every(judged.dataset, "none", source),
    )


def _read(path: Path) -> pd.DataFrame:
    if not is_table(path):
        return pd.DataFrame(read_tune_folder(path))
    try:
        return read_table(path)
    except Exception as error:  # whatever a reader may raise on any bytes
        said = " ".join(str(error).split())[:200]
        raise UsageError(f"{path} must be a table with a column arch, but cannot be read: {said}.") from error


def _without_tunes(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows with `arch` and `finished_at`, and without what Tune says of its trials."""
    rows = rows.mask(rows == "", None)  # what a text has for nothing
    rows.columns = pd.Index([str(name) for name in rows.columns])
    if "arch" not in rows and CONFIG_ARCH in rows:
        rows["arch"] = rows[CONFIG_ARCH]
    elif CONFIG_ARCH in rows:  # of a trial that failed before it reported
        rows["arch"] = rows["arch"].where(rows["arch"].notna(), rows[CONFIG_ARCH])
    if "arch" in rows:
        rows["arch"] = rows["arch"].map(str, na_action="ignore")
    if "timestamp" in rows and "finished_at" not in rows:
        ends = _numbers(rows["timestamp"])
        if ends is not None and np.isfinite(ends).any():
            begun = np.nanmin(ends - np.nan_to_num(_taken(rows)))
            rows["finished_at"] = ends - begun
            rows = rows.sort_values("finished_at", kind="stable", ignore_index=True)
    if "seconds" not in rows and "time_total_s" in rows:
        rows["seconds"] = rows["time_total_s"]
    names = [str(name) for name in rows.columns]
    left = [name for name in names if name.partition("/")[0] not in OF_TUNE and not name.startswith("__")]
    settings = [name for name in names if name.startswith(f"{CONFIG}/") and name != CONFIG_ARCH]
    return rows[["arch"] * ("arch" in left) + [name for name in [*left, *settings] if name != "arch"]]


def _taken(rows: pd.DataFrame) -> np.ndarray:
    taken = _numbers(rows["time_total_s"]) if "time_total_s" in rows else None
    return np.zeros(len(rows)) if taken is None else taken


def _numbers(column: pd.Series[Any]) -> np.ndarray | None:
    """Returns `[rows]` floats of a column of numbers alone, else None."""
    try:
        return np.array([to_number(cell) for cell in column])
    except ValueError:
        return None


def _named(fitness: str | None) -> set[str]:
    """Returns what a fitness looks at: a loss is no score unless it decides."""
    kind, colon, listed = (fitness or "").partition(":")
    return {name.strip() for name in (listed if colon else kind).split(",")} & set(TRAINING)


def _scores(rows: pd.DataFrame, named: Collection[str]) -> tuple[str, ...]:
    """Returns the columns by which archs may be compared: what was trained for last."""
    columns = map(str, rows.columns)
    held = [name for name in columns if (_is_score(name) or name in named) and _is_number(rows[name])]
    return tuple(name for name in held if not name.startswith(VALID)) + tuple(
        name for name in held if name.startswith(VALID)
    )


def _is_score(name: str) -> bool:
    if name == "valid_acc":
        return True
    parts = (f"{CONFIG}/", BENCHMARK_PREFIX)
    return (
        name not in NO_SCORES | {*MEASURED, *COLUMNS}
        and not name.startswith(parts)
        and not name.endswith(OF_SECONDS)
    )


def _is_number(column: pd.Series[Any]) -> bool:
    if column.dtype == bool:
        return False
    values = _numbers(column)
    return values is not None and bool(np.isfinite(values).any())


def _fitness(judged: Judged, scores: tuple[str, ...]) -> Fitness:
    trained = [name for name in scores if name == "valid_acc"]
    if judged.fitness is None:
        made = Single((trained[0],)) if trained else parse_fitness(None, scores)
    elif judged.fitness.partition(":")[2] or judged.fitness in scores:
        made = parse_fitness(judged.fitness, scores)
    else:
        raise UsageError(f"{unknown_name('score', judged.fitness, list(scores))} Name one as --fitness.")
    return Smallest(made) if judged.smallest else made
