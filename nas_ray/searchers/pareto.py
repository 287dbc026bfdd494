"""Several objectives at once: fronts of rows that no other row beats, and how crowded these are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.rows import Row, records
from nas_ray.searchers.columns import Negated as Negated
from nas_ray.searchers.fitness import Fitness, Single

if TYPE_CHECKING:  # searchers answer before it is imported
    import pandas as pd


def parse_objectives(text: str) -> list[Fitness]:
    """Returns the objectives that `text` lists, such as `naswot,-flops`; a minus means "to be small".

    Raises:
        UsageError: an empty name, or one that stands there twice.
    """
    names = [name.strip() for name in text.split(",")]
    if not all(name.removeprefix("-") for name in names):
        raise UsageError(
            f"Objectives must be scores separated by commas, such as naswot,-flops; got {text!r}."
        )
    columns = [name.removeprefix("-") for name in names]
    if repeated := [name for name in columns if columns.count(name) > 1]:
        raise UsageError(
            f"Each objective must be named once, got {repeated[0]} twice in {text!r}; leave one out."
        )
    return [Negated(name[1:]) if name.startswith("-") else Single((name,)) for name in names]


def objective_values(rows: Sequence[Row], objectives: Sequence[Fitness]) -> np.ndarray:
    """Returns `[rows, objectives]`, all larger is better; a row with an undefined one is -inf in all."""
    values = np.column_stack([objective(rows) for objective in objectives])
    values[~np.all(np.isfinite(values), axis=1)] = -np.inf
    return values


def fronts(values: np.ndarray) -> list[list[int]]:
    """Returns the places of the rows of `values [n, objectives]` by front, the best front first.

    A row dominates another if it is at least as good in every objective and better in one. The first front is
    dominated by none, the second by the first alone, and so on.

    Source: Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm:
    NSGA-II", IEEE TEC 2002, section III A.
    """
    no_worse = np.all(values[:, None] >= values[None], axis=2)
    dominates = no_worse & ~no_worse.T
    dominators = dominates.sum(axis=0)
    left = np.ones(len(values), dtype=bool)
    found: list[list[int]] = []
    while left.any():
        front = np.flatnonzero(left & (dominators == 0))
        found.append([int(place) for place in front])
        left[front] = False
        dominators = dominators - dominates[front].sum(axis=0)
    return found


def crowding_distances(values: np.ndarray) -> np.ndarray:
    """Returns `[n]`, how far apart the neighbours of each row of a front `values [n, objectives]` are.

    Per objective the distance between the next row on either side over the range of the objective, summed;
    infinite for the ends.

    Source: Deb et al., NSGA-II, IEEE TEC 2002, section III B.
    Differs: an objective that is equal in all rows adds nothing.
    """
    distances = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        if column[order[0]] == column[order[-1]]:
            continue
        ordered = column[order]
        distances[order[1:-1]] += (ordered[2:] - ordered[:-2]) / (ordered[-1] - ordered[0])
        distances[order[[0, -1]]] = np.inf
    return distances


def first_front(values: np.ndarray) -> np.ndarray:
    """Returns the places of the rows of `values [n, objectives]` that none dominates, in their order.

    A row with a value that is not finite is not among them; of equal rows all are.
    """
    places = np.flatnonzero(np.isfinite(values).all(axis=1))
    order = places[np.lexsort(-values[places].T[::-1])]  # nothing dominates what stands before it
    front = np.empty((0, values.shape[1]))
    found = []
    for place in order:
        no_worse = (front >= values[place]).all(axis=1)
        if not (no_worse & (front > values[place]).any(axis=1)).any():
            found.append(int(place))
            front = np.vstack([front, values[place]])
    return np.sort(np.array(found, dtype=int))


@overload
def pareto_front(rows: pd.DataFrame, objectives: Sequence[Fitness] | str) -> pd.DataFrame: ...


@overload
def pareto_front(rows: Sequence[Row], objectives: Sequence[Fitness] | str) -> list[Row]: ...


def pareto_front(
    rows: Sequence[Row] | pd.DataFrame, objectives: Sequence[Fitness] | str
) -> list[Row] | pd.DataFrame:
    """Returns the rows that no other row dominates, in their order; none if no row has all objectives.

    Args:
        rows: a list of rows, or a table such as a search returns, of which a table is returned.
        objectives: what is to be large, as functions of rows or as text such as `valid_acc,-latency_ms`.

    Raises:
        UsageError: an objective that is no column of a table, or no number.
    """
    wanted = parse_objectives(objectives) if isinstance(objectives, str) else list(objectives)
    table, listed = (None, rows) if isinstance(rows, Sequence) else (rows, _listed(rows, wanted))
    if not len(listed) or not wanted:
        return [] if table is None else table.iloc[:0]
    front = first_front(objective_values(listed, wanted))
    return [listed[place] for place in front] if table is None else table.iloc[front]


def objectives_of(given: object) -> list[Fitness]:
    """Returns the objectives of a searcher, of which `given` is that attribute; none where it is one thing.

    A searcher of a user may have an attribute of that name that means something else.
    """
    listed = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    return listed if len(listed) > 1 and all(map(callable, listed)) else []


def column_of(objective: Fitness) -> str | None:
    """Returns the column that an objective looks at; None where it is not a single one."""
    if isinstance(objective, Negated):
        return objective.name
    return objective.names[0] if isinstance(objective, Single) else None


def _listed(table: pd.DataFrame, objectives: Sequence[Fitness]) -> list[Row]:
    """Returns the rows of a table, with None for what is missing."""
    for name in filter(None, map(column_of, objectives)):
        if name not in table:
            raise UsageError(unknown_name("objective", name, [str(column) for column in table.columns]))
    return records(table)
