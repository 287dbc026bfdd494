"""A finished, running or stopped run as a report sees it: what its folder says, and one table of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from nas_ray.errors import UsageError
from nas_ray.report.cost import COSTS
from nas_ray.rows import GIVEN, Row, given_in
from nas_ray.runs.folder import method_of
from nas_ray.safe_files.stored_numbers import row_numbers
from nas_ray.searchers.fitness import Fitness
from nas_ray.spaces.settings import recipe_of

Lookup = Callable[[str], float]
"""Accuracy of an arch in percent, NaN if unknown."""


@dataclass(frozen=True)
class RunData:
    """One run, or one dataset of a comparison of proxies.

    Attributes:
        folder: where it is.
        name: its own, else that of the folder, with the dataset where a folder holds several.
        experiment: `rea`, `score_space`, `correlate`, ...
        dataset: name of the dataset, or `unknown`.
        space: name of the search space.
        settings: what it was asked to do, as `run.json` has it.
        info: all of `run.json`.
        rows: one per evaluation with `arch`, the scores, `fitness`, `accuracy` in percent (NaN if unknown),
            `error` and `reused`; of a search in the order of arrival, with `finished_at` in seconds.
        scores: names of the score columns.
        fitness: what made the column `fitness`.
        is_search: whether the order of the rows means anything.
        acc_column: the honest name of the accuracy.
        acc_source: what that accuracy is; None if no accuracy is known.
        best: what `best.json` says, empty if there is none.
        notes: sentences that a reader must know.
        objectives: what a search maximised at once, where that was several things.
        every_accuracy: of all archs of the benchmark in percent, where these are at hand.
        truth: of a search with costs among its objectives, all archs with `arch`, `accuracy` and these costs,
            where the benchmark and the tables of costs are at hand.
    """

    folder: Path
    name: str
    experiment: str
    dataset: str
    space: str
    settings: Mapping[str, Any]
    info: Mapping[str, Any]
    rows: pd.DataFrame
    scores: tuple[str, ...]
    fitness: Fitness
    is_search: bool
    acc_column: str = "accuracy"
    acc_source: str | None = None
    best: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    objectives: tuple[Fitness, ...] = ()
    every_accuracy: np.ndarray | None = None
    truth: pd.DataFrame | None = None

    @property
    def method(self) -> str:
        """The experiment, and the searcher where it took one of several."""
        return method_of(self.experiment, self.settings)

    @property
    def searched(self) -> str:
        """The space, or the recipe of the one arch that was given."""
        arch = self.settings.get("arch")
        return recipe_of(arch) if self.finds_recipe and isinstance(arch, str) else self.space

    @property
    def finds_recipe(self) -> bool:
        """Whether an arch was given and its recipe was looked for."""
        return self.experiment == "tune_recipe"

    @cached_property
    def distinct(self) -> pd.DataFrame:
        """The rows without those that repeat an arch."""
        return self.rows[~self.rows["reused"] & ~self.rows["arch"].duplicated()]

    @property
    def given(self) -> int:
        """Rows of earlier searches that it began with, which are no evaluations of its own."""
        return given_in(self.rows)

    @cached_property
    def best_place(self) -> int | None:
        """Position of the fittest row, the first of equals; None if no fitness is finite."""
        fitness = self.rows["fitness"].to_numpy(dtype=float)
        finite = np.where(np.isfinite(fitness), fitness, -np.inf)
        place = int(np.argmax(finite))
        return place if np.isfinite(finite[place]) else None

    @property
    def seed(self) -> Any:
        """Seed of the search or of the draw of archs; None if the folder does not say."""
        return self.settings.get("seed")

    def top(self, count: int) -> pd.DataFrame:
        """Returns the `count` fittest different archs, the best first, without undefined fitness."""
        rows = self.distinct
        rows = rows[np.isfinite(rows["fitness"].to_numpy(dtype=float))]
        ordered: pd.DataFrame = rows.sort_values("fitness", ascending=False, kind="stable")
        return ordered.head(count)


def complete(rows: pd.DataFrame, scores: tuple[str, ...], fitness: Fitness, folder: Path) -> pd.DataFrame:
    """Returns `rows` with every column that `RunData` promises, numbers as floats.

    Raises:
        UsageError: no rows, no column `arch`, or text where a number must be.
    """
    if "arch" not in rows:
        held = ", ".join(map(str, rows.columns)) or "none"
        raise UsageError(f"The table of {folder} must have a column arch, and its columns are: {held}.")
    if rows.empty:
        raise UsageError(f"A report needs evaluations, and the run {folder} has none yet; let it run first.")
    table = rows.reset_index(drop=True).copy()
    table["arch"] = table["arch"].astype(str)
    for name in ("error", "reused", "accuracy"):
        if name not in table:
            table[name] = None
    table["reused"] = table["reused"].eq(True)
    if GIVEN in table:
        table[GIVEN] = table[GIVEN].eq(True)
    numbers = {*scores, *COSTS, "seconds", "finished_at", "accuracy", "fitness"}
    for name in sorted(numbers & set(table.columns)):
        table[name] = row_numbers(table, name, f"the table of {folder}")
    if "fitness" not in table:
        table["fitness"] = _fitness_of(table, fitness)
    return table


def _fitness_of(table: pd.DataFrame, fitness: Fitness) -> pd.Series[float]:
    """Returns the fitness of every row, relative to the different archs."""
    distinct = table[~table["reused"] & ~table["arch"].duplicated()]
    values = fitness(cast("list[Row]", distinct.to_dict("records")))
    return table["arch"].map(dict(zip(distinct["arch"], values, strict=True))).astype(float)
