"""What the trial of somebody's own tuner reported, as a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nas_ray.drivers.ray_compat import names_of_tune
from nas_ray.rows import ERROR, RAISED, UNDEFINED, Failure, Row, failed, plain_row
from nas_ray.searchers.messages import ROWS, SCORE

OF_TUNE = names_of_tune()
"""What Tune adds to a result that a trial reports; it hands results on flat, as `config/arch`."""

RAISED_ERROR: Row = failed([Failure("the trial ended with an error, which is in its folder", RAISED)])
"""The row of a trial that raised, or whose worker died: Tune tells a searcher no more."""


def row_of(result: Mapping[str, Any], scores: Sequence[str]) -> dict[str, Any]:
    """Returns the row that a trial reported, which has failed if one of `scores` is no finite number.

    What no row can hold is left out, and so is `rows` of somebody else. Rows of trials of ours are passed on.
    """
    if None in result:
        return failed(
            [Failure("Repeater passes on one metric; name it in TuneSearcher(..., metric=...)", RAISED)]
        )
    if SCORE in result and _are_rows(result.get(ROWS)):
        return dict(result)
    row, failures = dict[str, Any](), list[Failure]()
    for name, value in result.items():
        if name == ROWS:  # else it would be taken for rows of ours
            continue
        if name in scores or str(name).partition("/")[0] not in OF_TUNE:
            try:
                row.update(plain_row({name: value}))
            except TypeError as error:
                if name in scores:
                    failures.append(Failure(str(error), RAISED))
    if not (row or failures):
        return failed([Failure("the trial reported nothing", UNDEFINED)])
    undefined = [_flaw(name, row) for name in scores if name not in result or name in row]
    failures += [Failure(said, UNDEFINED) for said in undefined if said]
    return row if row.get(ERROR) is not None or not failures else {**row, **failed(failures)}


def _are_rows(value: Any) -> bool:
    """Returns whether this is the row of the one arch of a trial of ours."""
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and ERROR in value[0]


def _flaw(name: str, row: Row) -> str | None:
    """Returns what is wrong with a score; what is no number at all is told by the searcher."""
    if row.get(name) is None:
        return f"{name}: the trial did not report it, but {', '.join(sorted(row)[:10])}"
    value = row[name]
    return f"{name} is {value}" if isinstance(value, float) and not math.isfinite(value) else None
