"""From the events of a search to its table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nas_ray.rows import ERROR, ERROR_KIND, FOUND, GIVEN, LEADING, TRAILING, TRAJECTORY, error_kind_of
from nas_ray.runs.journal import rows_of
from nas_ray.searchers.base import ArchSearcher

TEXTS = ("worker", ERROR, ERROR_KIND, FOUND)
"""Columns of one type, whether or not anything failed."""


def elapsed(searcher: ArchSearcher) -> float:
    """Returns the seconds of search that the replayed rows already took."""
    return max((float(row.get("finished_at", 0.0)) for row in rows_of(searcher.events)), default=0.0)


def to_table(searcher: ArchSearcher) -> pd.DataFrame:
    """Returns one row per trial in order of arrival, with the final fitness relative to all of them."""
    rows, known = rows_of(searcher.events), searcher.rows_as_told()
    fitness = dict(zip([row["arch"] for row in known], searcher.fitness(known), strict=True))
    whole = [{**row, ERROR_KIND: error_kind_of(row), "fitness": fitness[row["arch"]]} for row in rows]
    table = pd.DataFrame(whole)
    first = [*LEADING, FOUND] if FOUND in table else [*LEADING]
    last = [*TRAILING, GIVEN] if GIVEN in table else [*TRAILING]
    scores = [str(name) for name in table if name not in (*first, *last, TRAJECTORY)]
    columns: dict[str, Any] = {}
    for name in (*first, *scores, *last):  # made once: each change of a table with texts copies it
        if name in TEXTS:
            columns[name] = pd.array([row.get(name) for row in whole], dtype="string")
        else:
            columns[name] = table[GIVEN].eq(True) if name == GIVEN else table.get(name)
    return pd.DataFrame(columns, index=table.index)
