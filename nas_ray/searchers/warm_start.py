"""What a search begins with: rows of earlier ones, which it is told and does not evaluate."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nas_ray.errors import UsageError, describe
from nas_ray.rows import (
    ACCURACY,
    COMPARISON,
    ERROR,
    FOUND,
    GIVEN,
    OF_ONE_TRIAL,
    PLACES,
    TRAINING,
    Event,
    Row,
    plain_row,
    records,
)
from nas_ray.searchers.columns import column
from nas_ray.searchers.kept import Keeping
from nas_ray.searchers.pareto import column_of, objectives_of
from nas_ray.spaces.needs import is_member

if TYPE_CHECKING:  # searchers answer before it is imported
    import pandas as pd

    from nas_ray.spaces.base import SearchSpace

NOT_OF_THE_ARCH = {*OF_ONE_TRIAL, *ACCURACY, *PLACES, *COMPARISON} - {*TRAINING, "arch", "seconds"}
"""Columns of a table that a search is not given: of another trial, or accuracies that it may not see."""


class Taken(NamedTuple):
    """What became of rows that a search was given.

    Attributes:
        told: how many it took.
        left_out: how many it did not, by reason.
    """

    told: int
    left_out: dict[str, int]

    @property
    def reasons(self) -> str:
        """What was left out and why, such as `2 failed, 1 repeated`; empty where nothing was."""
        return ", ".join(f"{count:,} {why}" for why, count in self.left_out.items())

    def told_of(self, place: object) -> str:
        """Returns what became of the rows of `place`."""
        out = f"; left out: {self.reasons}" if self.left_out else ""
        return f"{self.told:,} row{'' if self.told == 1 else 's'} of {place}{out}"


class WarmStart(Keeping):
    """The part of `ArchSearcher` that takes rows of earlier searches."""

    space: SearchSpace

    def add(self, rows: Sequence[Row] | pd.DataFrame) -> Taken:
        """Tells rows of earlier searches to this one before it begins, and returns how many fit.

        They cost nothing: no evaluation of the budget, no time. They are in `history`, in the journal and,
        marked as `given`, in the table; their archs are not evaluated again. A row fits if its arch is of the
        space and has every score that fitness and objectives look at, from an evaluation without an error.
        The worst are told first, so that the best are the youngest members of an evolution.

        Args:
            rows: a list of rows, or a table such as a search returns.

        Raises:
            UsageError: the search has begun, a score is no number, or the searcher cannot take a row that it
                did not ask for.
        """
        if self._asked:
            raise UsageError(
                f"Rows are given to a search before it begins, and this one has asked for {self._asked} "
                "archs; make it anew."
            )
        fit, left_out = _fitting(self, rows if isinstance(rows, Sequence) else records(rows))
        for row in fit:
            number = -1 - len(self._record.events)
            self._emit({"event": "given", "trial": number, "row": {**row, "trial": number}})
            self._take(self._record.events[-1]["row"])
            try:
                self._check()
            except Exception as error:  # a searcher of the user may raise anything
                raise UsageError(
                    f"{type(self).__name__} cannot take a row that it did not ask for: {describe(error)}"
                ) from error
        return Taken(len(fit), left_out)

    def knows(self, arch: str) -> bool:
        """Returns whether an evaluation of `arch` succeeded, here or in a search that this one began with."""
        return self._record.success(arch) is not None

    @abstractmethod
    def _emit(self, event: Event) -> None: ...

    @abstractmethod
    def _take(self, row: Row) -> None: ...

    @abstractmethod
    def _check(self) -> None: ...


def _fitting(searcher: WarmStart, rows: Sequence[Row]) -> tuple[list[Row], dict[str, int]]:
    """Returns the rows that fit as they are told, the worst first, and why others do not."""
    names = _needed(searcher)
    reasons: Counter[str] = Counter()
    found: dict[str, Row] = {}
    for row in rows:
        row = searcher.with_costs(row) if isinstance(row.get("arch"), str) else row
        why = _misfit(searcher, row, names) or ("repeated" if row["arch"] in found else "")
        if why:
            reasons[why] += 1
        else:
            found[row["arch"]] = _as_told(row, names)
    fit = list(found.values())
    values = np.asarray(searcher.fitness(fit), dtype=float) if fit else np.array([])
    kept = np.isfinite(values)
    reasons["of undefined fitness"] += int((~kept).sum())
    order = [place for place in np.argsort(values, kind="stable") if kept[place]]
    return [fit[place] for place in order], {why: count for why, count in reasons.items() if count}


def _needed(searcher: WarmStart) -> list[str]:
    """Returns the columns that fitness and objectives look at."""
    names = [*getattr(searcher.fitness, "names", ())]
    names += [name for name in map(column_of, objectives_of(searcher.objectives)) if name]
    return list(dict.fromkeys(names))


def _misfit(searcher: WarmStart, row: Row, names: Sequence[str]) -> str:
    """Returns why a row does not fit; nothing if it does."""
    arch = row.get("arch")
    if not isinstance(arch, str) or not arch:
        return "without an arch"
    if row.get(ERROR):
        return "failed"
    if searcher.knows(arch):
        return "repeated"
    if not is_member(searcher.space, arch):
        return "not of this space"
    missing = [name for name in names if not math.isfinite(column([row], name)[0])]
    return f"without {missing[0]}" if missing else ""


def _as_told(row: Row, names: Sequence[str]) -> Row:
    """Returns what is told of a row: its arch, its numbers, and that it was given."""
    told: Row = {
        name: value
        for name, value in row.items()
        if (name == FOUND and value) or (name not in NOT_OF_THE_ARCH and _is_number(value))
    }
    told |= {name: float(column([row], name)[0]) for name in names}
    seconds = float(column([row], "seconds")[0])
    told |= {"arch": row["arch"], "seconds": seconds if math.isfinite(seconds) else 0.0}
    return plain_row({**told, "finished_at": 0.0, "reused": False, ERROR: None, GIVEN: True})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
