"""What travels between a searcher and its trials: archs in a config, rows in a result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nas_ray.rows import EPOCHS as EPOCHS
from nas_ray.rows import OUT_OF_MEMORY, WORKER_DIED, Failure, Row, error_kind_of, failed

SCORE = "score"
"""The metric that a Tune result carries; searchers use the whole rows instead."""

FINISHED = "FINISHED"
"""What a searcher says that is asked for no more trials; Ray Tune's word, which a test compares."""

ROWS = "rows"
"""The key of the rows in a Tune result, beside what Tune adds."""

DIED: Row = failed([Failure("the worker died before the trial ended", WORKER_DIED)])
"""The row of an arch whose worker died."""


def may_lack_memory(row: Mapping[str, Any]) -> bool:
    """Returns whether an evaluation lacked memory, or its worker died, of which that is the usual cause."""
    return error_kind_of(row) in (OUT_OF_MEMORY, WORKER_DIED)


def config_of(archs: Sequence[str], archs_per_trial: int) -> dict[str, Any]:
    """Returns the config of a trial: `{"arch": str}`, or `{"archs": [str]}` where it may carry several."""
    return {"arch": archs[0]} if archs_per_trial == 1 else {"archs": list(archs)}


def archs_of(config: Mapping[str, Any]) -> list[str]:
    """Returns the archs in the config of a trial."""
    return list(config["archs"]) if "archs" in config else [config["arch"]]


def result_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Returns the one result of a trial, with a row per arch of its config in the same order."""
    return {ROWS: list(rows), SCORE: 0.0, "done": True}


def epoch_result(row: Row, last: int, metric: str = "valid_acc") -> dict[str, Any]:
    """Returns the result of one epoch of a trial, which ends after `last` epochs or with an error.

    Schedulers compare trials by the column `metric` of `row`, of which the smaller is better if it begins
    with a minus.
    """
    sign = -1.0 if metric.startswith("-") else 1.0
    score = sign * row.get(metric.removeprefix("-"), math.nan)
    epochs = int(row.get(EPOCHS, last))
    over = epochs >= last or row.get("error") is not None
    return {ROWS: [row], SCORE: score, EPOCHS: epochs, "done": over}


def rows_of(result: Mapping[str, Any]) -> list[Row]:
    """Returns the rows in a result, or all of `result` if it is a bare row."""
    return list(result[ROWS]) if ROWS in result else [dict(result)]
