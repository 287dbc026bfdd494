"""A search in this process on a simulated clock, with one worker or several."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from nas_ray.drivers.tune_search import to_table
from nas_ray.errors import UsageError
from nas_ray.evaluation.attempt import evaluate
from nas_ray.evaluation.base import Evaluator
from nas_ray.rows import Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.messages import archs_of, result_of

UnderWay = tuple[float, int, str, list[Row]]
"""When a trial ends, its number, its id and its rows; trials that end together arrive as they started."""


def simulate(
    searcher: ArchSearcher,
    evaluator: Evaluator,
    *,
    num_samples: int | None = None,
    seconds: float | None = None,
    archs_per_trial: int = 1,
    workers: int = 1,
) -> pd.DataFrame:
    """Returns the rows of a search run in this process, in the order in which its workers finish them.

    With equal seeds and one worker it asks for the same archs as `tune_search` with one worker and as many
    archs per trial. The clock is simulated: a trial lasts the sum of its rows' `seconds`, measured or
    tabulated, and `finished_at` is when it ends. With several workers a free one starts at once, so a
    searcher learns of rows in the order of their ends.

    Args:
        searcher: a fresh searcher.
        evaluator: turns an arch into a row.
        num_samples: evaluations to make, repeated archs included; None for no limit.
        seconds: simulated seconds after which no new evaluation starts; None for no limit. What is under way
            then is finished and counts.
        archs_per_trial: archs asked for before any of them has a row; see `tune_search`.
        workers: trials in flight.

    Raises:
        UsageError: less than one worker or arch per trial.
    """
    _check(workers, num_samples, seconds)
    clock, over = 0.0, False
    under_way: list[UnderWay] = []

    def stop() -> bool:
        enough = num_samples is not None and searcher.num_asked >= num_samples
        return enough or (seconds is not None and clock >= seconds)

    searcher.attach(stop=stop, clock=lambda: clock, archs_per_trial=archs_per_trial)
    numbers = itertools.count()
    while True:
        while not over and len(under_way) < workers:
            number = next(numbers)
            config = searcher.suggest(str(number))
            if not isinstance(config, dict):
                over = config is not None
                break
            rows = evaluate(evaluator, archs_of(config))
            heapq.heappush(under_way, (clock + duration(rows), number, str(number), rows))
        if not under_way:
            return to_table(searcher)
        clock, _, trial_id, rows = heapq.heappop(under_way)
        searcher.on_trial_complete(trial_id, result_of(rows))


def _check(workers: int, num_samples: int | None, seconds: float | None) -> None:
    for name, value in (("workers", workers), ("num_samples", num_samples)):
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not (value is None and name == "num_samples") and not (whole and value >= 1):  # type: ignore[operator]
            raise UsageError(f"{name} must be a whole number of at least 1, got {value!r}.")
    if seconds is not None and not (isinstance(seconds, (int, float)) and seconds > 0):
        raise UsageError(f"seconds must be a number larger than 0, got {seconds!r}.")


def duration(rows: Sequence[Row]) -> float:
    """Returns the seconds of a trial with `rows`; a row without any that are known takes none."""
    taken = (float(row.get("seconds") or 0.0) for row in rows)
    return sum(seconds for seconds in taken if 0 < seconds < math.inf)
