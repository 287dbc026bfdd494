"""Several objectives at once: fronts of rows that no other row beats, and how crowded these are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.rows import Row
from nas_ray.searchers.fitness import Fitness, Single


@dataclass(frozen=True)
class Negated:
    """A score that is to be small, such as `flops`: its negative, undefined values still worst."""

    name: str
    relative: ClassVar[bool] = False

    @property
    def names(self) -> tuple[str, ...]:
        """The one score."""
        return (self.name,)

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Returns `[rows]` negated scores."""
        values = Single((self.name,))(rows)
        return np.where(np.isfinite(values), -values, -np.inf)

    def __str__(self) -> str:
        return f"-{self.name}"


def parse_objectives(text: str) -> list[Fitness]:
    """Returns the objectives that `text` lists, such as `naswot,-flops`; a minus means "to be small".

    Raises:
        UsageError: an empty name.
    """
    names = [name.strip() for name in text.split(",")]
    if not all(name.removeprefix("-") for name in names):
        raise UsageError(
            f"Objectives must be scores separated by commas, such as naswot,-flops; got {text!r}."
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


def pareto_front(rows: Sequence[Row], objectives: Sequence[Fitness]) -> list[Row]:
    """Returns the rows that no other row dominates, in their order; none if no row has all objectives."""
    if not rows:
        return []
    values = objective_values(rows, objectives)
    return [rows[place] for place in fronts(values)[0] if np.isfinite(values[place]).all()]
