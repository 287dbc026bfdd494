"""Numbers as a file holds them: each read exactly, or named in an error."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from nas_ray.errors import UsageError
from nas_ray.rows import FOUND
from nas_ray.safe_files.tables import ARCH, read_rows

UNDEFINED = {
    "": math.nan,
    **dict.fromkeys(("nan", "+nan", "-nan", "na", "n/a", "<na>", "#na", "#n/a", "#n/a n/a"), math.nan),
    **dict.fromkeys(("null", "none", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"), math.nan),
    **dict.fromkeys(("inf", "+inf", "infinity", "+infinity", "1.#inf"), math.inf),
    **dict.fromkeys(("-inf", "-infinity", "-1.#inf"), -math.inf),
}
"""What programs write for undefined numbers, in small letters: nothing, words for NaN, infinities."""

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LONGEST = 80
_LONGEST_ARCH = 200
NUMBERS = "numbers such as -1234.5 or 1e-3"


def to_number(value: Any) -> float:
    """Returns the float of one cell; NaN or an infinity where it is undefined.

    Text is a decimal number with a point, as every program writes it: no separators of thousands, no other
    digits or signs.

    Raises:
        ValueError: it is no number, or none that a float can hold.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None or value is pd.NA or value is pd.NaT:
        return math.nan
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in UNDEFINED:
            return UNDEFINED[text.lower()]
        if not _DECIMAL.fullmatch(text):
            raise ValueError("it is no number")
        number, finite = float(text), True
    elif isinstance(value, (Real, Decimal)) and not isinstance(value, bool):
        try:
            number, finite = float(value), value == value and abs(value) != math.inf
        except (ArithmeticError, ValueError) as error:  # a huge integer, a signalling NaN
            raise ValueError("no float can hold it") from error
    else:
        raise ValueError("it is no number")
    if finite and math.isinf(number):
        raise ValueError("no float can hold it")
    return number


def to_numbers(
    column: pd.Series[Any],
    *,
    of: str,
    place: Callable[[int], str],
    must: str = NUMBERS,
    within: tuple[float, float] | None = None,
) -> np.ndarray:
    """Returns `[rows]` floats of a column.

    Args:
        column: with its name.
        of: whose it is, for the message, such as `the table scores.csv`.
        place: of a row for the message, such as `ARCH in line 3`.
        must: what it must hold, in words.
        within: the least and the most; then nothing may be undefined.

    Raises:
        UsageError: a cell is no number, or not `within`.
    """
    values = _plain(column)
    wrong = np.zeros(len(column), dtype=bool)
    if values is None:
        values = np.full(len(column), math.nan)
        for number, cell in enumerate(column.astype(object)):
            try:
                values[number] = to_number(cell)
            except ValueError:
                wrong[number] = True
    if within is not None:
        wrong |= ~((values >= within[0]) & (values <= within[1]))  # not (in range): true for NaN too
    if wrong.any():
        first, count = int(wrong.argmax()), int(wrong.sum())
        others = f" (the first of {count:,})" if count > 1 else ""
        raise UsageError(
            f"The column {column.name!r} of {of} must hold {must}, got {shown(column.iloc[first])} for "
            f"{place(first)}{others}; correct the value."
        )
    return values


def _plain(column: pd.Series[Any]) -> np.ndarray | None:
    """Returns the floats of a column that holds nothing else than integers or floats, else None."""
    plain = types.is_integer_dtype(column.dtype) or types.is_float_dtype(column.dtype)
    return column.to_numpy(dtype=float, na_value=math.nan) if plain else None


def shown(value: Any) -> str:
    """Returns a cell as a message shows it: in one line, texts that are no numbers in quotes."""
    said = str(value)
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in UNDEFINED:
            said = str(UNDEFINED[text.lower()])
        else:
            said = text if _DECIMAL.fullmatch(text) else repr(text)
    said = " ".join(said.split())
    return said if len(said) <= _LONGEST else said[:_LONGEST] + "..."


def row_numbers(rows: pd.DataFrame, name: str, of: str) -> np.ndarray:
    """Returns `[rows]` floats of a column of a run's table, as `to_numbers`."""

    def place(number: int) -> str:
        where = f"row {number + 1}"
        return _place(rows[ARCH].iloc[number], where) if ARCH in rows else where

    return to_numbers(rows[name], of=of, place=place)


TEXTS = frozenset(
    {ARCH, FOUND, "scored_as", "worker", "reused", "error", "error_kind", "curve", "acc_source"}
)
"""Columns of a run's table that hold no numbers."""


def with_numbers(rows: pd.DataFrame, of: str) -> pd.DataFrame:
    """Returns a run's table with numbers in all columns but `TEXTS` and those that hold nothing.

    Raises:
        UsageError: as `to_numbers`.
    """
    changed = {
        name: row_numbers(rows, name, of)
        for name in map(str, rows.columns)
        if name not in TEXTS and _plain(rows[name]) is None and rows[name].notna().any()
    }
    return rows.assign(**changed) if changed else rows


def _place(arch: Any, where: str) -> str:
    return f"{' '.join(str(arch).split())[:_LONGEST_ARCH]} in {where}"


@dataclass(frozen=True)
class StoredTable:
    """A table of numbers by arch, made elsewhere.

    Attributes:
        path: of its file.
        frame: as `read_rows` returns it.
        lines: as `read_rows` returns them.
    """

    path: Path
    frame: pd.DataFrame
    lines: Sequence[int] | None

    @classmethod
    def read(cls, path: Path) -> StoredTable:
        """Reads a file.

        Raises:
            Exception: as `read_rows`.
        """
        return cls(path, *read_rows(path))

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return list(map(str, self.frame.columns))

    def column(self, name: str) -> pd.Series[Any]:
        """Returns the column `name`, which must be there.

        Raises:
            UsageError: several columns have that name.
        """
        if (count := self.names.count(name)) > 1:
            raise UsageError(
                f"The table {self.path} must have one column {name!r}, got {count}; rename or remove the "
                "others."
            )
        column: pd.Series[Any] = self.frame[name]
        return column

    def archs(self) -> list[Any]:
        """Returns the column `arch`, texts without blanks around them.

        Raises:
            UsageError: there are several such columns.
        """
        return [arch.strip() if isinstance(arch, str) else arch for arch in self.column(ARCH)]

    def numbers(
        self, name: str, *, must: str = NUMBERS, within: tuple[float, float] | None = None
    ) -> np.ndarray:
        """Returns `[rows]` floats of the column `name`, which must be there.

        Raises:
            UsageError: as `to_numbers`, or several columns have that name.
        """
        return to_numbers(
            self.column(name), of=f"the table {self.path}", place=self.place, must=must, within=within
        )

    def place(self, number: int) -> str:
        """Returns where row `number`, counted from 0, is to be found: its arch, and its line or row."""
        where = f"line {self.lines[number]}" if self.lines is not None else f"row {number + 1}"
        return _place(self.archs()[number], where) if ARCH in self.names else where
