"""Scores known before an arch is evaluated: any function of archs, or a table of stored scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nas_ray.errors import UsageError, describe, printable, unknown_name
from nas_ray.process.plugins import resolve
from nas_ray.safe_files.stored_numbers import StoredTable, shown, to_number
from nas_ray.safe_files.tables import ARCH, table_ending

CheapScore = Callable[[Sequence[str]], Sequence[float]]
"""One number per arch, larger is better; it must not depend on anything but the archs."""


class ScoreTable:
    """Looks scores up in a CSV or Parquet table with a column `arch`, as `score_space.py` writes.

    Args:
        path: the table.
        column: the score.

    Raises:
        UsageError: no such table or column, or an arch stands in it twice.
    """

    def __init__(self, path: str | Path, column: str) -> None:
        self.path = Path(path).expanduser()
        self.column = column
        held = self._table.names
        if column not in held or ARCH not in held:
            missing = column if ARCH in held else ARCH
            raise UsageError(f"The table {self.path}: {unknown_name('column', missing, printable(held))}")
        repeated = [arch for arch, count in Counter(map(str, self._table.archs())).items() if count > 1]
        if repeated:
            raise UsageError(
                f"The table {self.path} must hold each arch once, got {repeated[0]} twice; remove a row."
            )

    def __call__(self, archs: Sequence[str]) -> list[float]:
        """Returns the stored scores of `archs`.

        Raises:
            UsageError: an arch is not in the table, or a score is no number.
        """
        known = self._scores
        missing = [arch for arch in archs if arch not in known]
        if missing:
            wanted = set(archs)
            foreign = [arch for arch in known if arch not in wanted]
            other = f" It holds {foreign[0]!r}, which is none of them." if foreign else ""
            others = f" and {len(missing) - 1} others" if len(missing) > 1 else ""
            raise UsageError(
                f"The table {self.path} must hold every arch of the space, got none for {missing[0]}{others}"
                f"; score the whole space.{other}"
            )
        return [known[arch] for arch in archs]

    @cached_property
    def _table(self) -> StoredTable:
        try:
            return StoredTable.read(self.path)
        except Exception as error:  # the readers have no common exception
            raise UsageError(
                f"The table of scores must be a readable CSV or Parquet file, got {self.path} "
                f"({describe(error)}); check the path."
            ) from error

    @cached_property
    def _scores(self) -> dict[str, float]:
        scores = self._table.numbers(self.column)
        if not np.isfinite(scores).any():
            raise UsageError(
                f"The column {self.column!r} of {self.path} must hold numbers, but none is finite; score "
                "again."
            )
        return dict(zip(map(str, self._table.archs()), scores.tolist(), strict=True))


def cheap_score(given: CheapScore | str | None, user: str) -> CheapScore:
    """Returns the score that `given` stands for.

    Args:
        given: a function, `TABLE:COLUMN` for a `ScoreTable`, or `module:function`.
        user: the searcher, for the message.

    Raises:
        UsageError: nothing was given, or it cannot be read or imported.
    """
    if callable(given):
        return given
    path, _, column = (given or "").rpartition(":")
    if not path or not column:
        raise UsageError(
            f"{user} needs a proxy that is known before an arch is evaluated, got {given!r}; give a function "
            "of a list of archs, or text such as proxy=scores.parquet:naswot or proxy=mine:score."
        )
    if table_ending(Path(path)) is not None:
        return ScoreTable(path, column)
    made: CheapScore = resolve("proxy", f"{path}:{column}", {})
    return made


def cheap_scores(given: Sequence[CheapScore] | str, user: str) -> list[CheapScore]:
    """Returns several scores: functions, or `TABLE:COLUMN,COLUMN,...`; may be none.

    Raises:
        UsageError: as `cheap_score`.
    """
    if not isinstance(given, str):
        return list(given)
    path, _, columns = given.rpartition(":")
    return [cheap_score(f"{path}:{column}", user) for column in columns.split(",")] if given else []


def scores_of(score: CheapScore, archs: Sequence[str]) -> np.ndarray:
    """Returns `[archs]` scores, everything undefined as -inf.

    Raises:
        UsageError: not one number per arch.
    """
    values = np.asarray([_number(value) for value in score(archs)], dtype=float)
    if values.shape != (len(archs),):
        raise UsageError(
            f"A proxy must return one number per arch, got shape {values.shape} for {len(archs)} archs."
        )
    return np.where(np.isfinite(values), values, -np.inf)


def _number(value: Any) -> Any:
    """Returns text as a number, and all else as it is."""
    try:
        return to_number(value) if isinstance(value, str) else value
    except ValueError as error:
        raise UsageError(f"A proxy must return numbers, got {shown(value)}; return floats.") from error


def best_first(score: CheapScore, archs: Sequence[str]) -> list[str]:
    """Returns `archs` from the best score to the worst; equals keep their order."""
    if not archs:
        return []
    return [archs[i] for i in np.argsort(-scores_of(score, archs), kind="stable")]
