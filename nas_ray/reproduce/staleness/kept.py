"""The runs that a folder holds already, and those that come to them, so that none is made twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from nas_ray.reproduce.staleness.searching import ANSWERS, COURSES, Found, as_tables
from nas_ray.reproduce.tables import Setting
from nas_ray.runs.writing import staged, write_parquet
from nas_ray.safe_files.stored_numbers import with_numbers
from nas_ray.safe_files.tables import read_own_table

EVERY_S = 10.0
"""Seconds after which what was found is written again."""
PROTOCOL = "protocol"
"""The column that says what runs have in common (`table.protocol`)."""
TEXTS = ("setting", "dataset", "arch", PROTOCOL)
KEY, LINE = COURSES[:3], COURSES[:4]
"""What makes a run on a dataset, and a line of its course, one of its kind."""


class KeptRuns:
    """The finished runs of a study in its folder.

    Args:
        folder: of the study, which is claimed.
        name: how the files begin.
        protocol: of these runs; others in the folder stay there.
        datasets: what is reported.

    Raises:
        UsageError: the folder holds tables that cannot be read.
    """

    def __init__(self, folder: Path, name: str, protocol: str, datasets: Sequence[str]) -> None:
        self._folder, self._protocol, self._datasets = folder, protocol, tuple(datasets)
        self._names = (f"{name}-runs.parquet", f"{name}-courses.parquet")
        answers, courses = (
            self._held(file, columns) for file, columns in zip(self._names, (ANSWERS, COURSES), strict=True)
        )
        self._tables = answers, courses
        self._new: list[Found] = []
        self._written = time.monotonic()

    def missing(self, rows: Sequence[Setting], seeds: int) -> list[tuple[Setting, list[int]]]:
        """Returns the rows that lack some of the seeds 0, 1 and so on, and which."""
        whole = set.intersection(*(self._runs(table) for table in self._joined()))
        left = ((row, [seed for seed in range(seeds) if (row.title, seed) not in whole]) for row in rows)
        return [(row, lacking) for row, lacking in left if lacking]

    def add(self, found: Found) -> None:
        """Takes finished runs, and now and then writes all."""
        self._new.append(found)
        if time.monotonic() - self._written > EVERY_S:
            self.write()

    def write(self) -> None:
        """Writes all runs that are there."""
        tables = self._joined()
        with staged(self._folder) as beside:
            for name, table in zip(self._names, tables, strict=True):
                write_parquet(beside / name, table)
        self._written = time.monotonic()

    def tables(self, rows: Sequence[Setting], seeds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Returns answers and courses of the runs with the first `seeds` seeds, in the order of `rows`."""
        titles = [row.title for row in rows]
        answers, courses = self._joined()
        return self._ordered(answers, titles, seeds, KEY), self._ordered(courses, titles, seeds, LINE)

    def _ordered(
        self, table: pd.DataFrame, titles: Sequence[str], seeds: int, key: Sequence[str]
    ) -> pd.DataFrame:
        own = table[(table[PROTOCOL] == self._protocol) & (table["seed"] < seeds)]
        places = {"setting": titles, "dataset": self._datasets}
        order = {
            name: own[name].map({one: place for place, one in enumerate(places[name])}) for name in places
        }
        own = own[order["setting"].notna() & order["dataset"].notna()]
        sorted_by = own[list(key)].assign(**order).sort_values(list(key), kind="stable").index
        return own.loc[sorted_by].drop_duplicates(list(key), ignore_index=True).drop(columns=PROTOCOL)

    def _runs(self, table: pd.DataFrame) -> set[tuple[str, int]]:
        """Returns the runs, by row and seed, of which there are lines on all datasets."""
        found = []
        for dataset in self._datasets:
            own = table[(table[PROTOCOL] == self._protocol) & (table["dataset"] == dataset)]
            found.append(set(zip(own["setting"].tolist(), own["seed"].tolist(), strict=True)))
        return set.intersection(*found)

    def _joined(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Returns all runs, those that are new among them."""
        if self._new:
            new = (table.assign(**{PROTOCOL: self._protocol}) for table in as_tables(self._new))
            answers, courses = (
                pd.concat([held, more], ignore_index=True) if len(held) else more
                for held, more in zip(self._tables, new, strict=True)
            )
            self._tables, self._new = (answers, courses), []
        return self._tables

    def _held(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """Returns the runs that a file of the folder holds."""
        path, columns = self._folder / name, (*columns, PROTOCOL)
        if not path.exists():
            return pd.DataFrame(columns=list(columns))
        table = read_own_table(path, "this command", "runs")
        if not set(columns) <= set(table.columns):
            return pd.DataFrame(columns=list(columns))
        numbers = with_numbers(table[[one for one in columns if one not in TEXTS]], f"the table {path}")
        return table[list(columns)].assign(**numbers)
