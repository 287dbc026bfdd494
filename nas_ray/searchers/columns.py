"""Columns of rows as numbers: what is undefined is worst, whether large or small is good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.rows import Row
from nas_ray.safe_files.stored_numbers import shown, to_number


def column(rows: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """Returns column `name` as `[rows]` floats, with everything non-finite or missing as -inf.

    Raises:
        UsageError: a value is no number, as in rows that were changed by hand.
    """
    values: list[Any] = [row.get(name) for row in rows]
    if set(map(type, values)) - {float}:  # as nearly all are
        values = [_number(row, name) for row in rows]
    numbers = np.array(values, dtype=float)
    numbers[~np.isfinite(numbers)] = -math.inf
    return numbers


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    try:
        return to_number(value) if value is None or isinstance(value, str) else float(value)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"The score {name} of {row.get('arch')} must be a number, got {shown(value)}; correct the row."
        ) from error


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
        values = column(rows, self.name)
        return np.where(np.isfinite(values), -values, -np.inf)

    def __str__(self) -> str:
        return f"-{self.name}"
