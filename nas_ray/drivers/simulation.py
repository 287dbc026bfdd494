"""A search in this process on a simulated clock, with one worker or several."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd

from nas_ray.drivers.connection import check_search
from nas_ray.drivers.loop import drive
from nas_ray.drivers.plan import PROCESS, Budget
from nas_ray.drivers.recorded import recorded, run_info, search_args
from nas_ray.drivers.table import to_table
from nas_ray.errors.checks import check_all, real, whole
from nas_ray.evaluation.attempt import evaluate, rows_of
from nas_ray.evaluation.base import Evaluator
from nas_ray.process.foreign_code import Contained, Listening, is_ours
from nas_ray.rows import Row
from nas_ray.runs.folder import create_run
from nas_ray.runs.journal import FILE_NAME, Journal
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.messages import result_of

_SECONDS = real(0, above=True).or_none
_LIMITS = {"num_samples": whole(1).or_none, "seconds": _SECONDS, "work": _SECONDS, "workers": whole(1)}


def simulate(
    searcher: ArchSearcher,
    evaluator: Evaluator,
    *,
    num_samples: int | None = None,
    seconds: float | None = None,
    work: float | None = None,
    archs_per_trial: int = 1,
    workers: int = 1,
    folder: str | Path | None = None,
) -> pd.DataFrame:
    """Returns the rows of a search run in this process, in the order in which its workers finish them.

    With equal seeds and one worker it asks for the same archs as `tune_search` with one worker and as many
    archs per trial. The clock is simulated: a trial lasts the sum of its rows' `seconds`, measured or
    tabulated, and `finished_at` is when it ends. With several workers a free one starts at once, so a
    searcher learns of rows in the order of their ends.

    Args:
        searcher: a fresh searcher.
        evaluator: turns an arch into a row; what it raises is a failed row, as with every driver.
        num_samples: evaluations to make, repeated archs included; None for no limit.
        seconds: simulated seconds after which no new evaluation starts; None for no limit. What is under way
            then is finished and counts.
        work: seconds of all workers together: once the evaluations that were started take so many, no new one
            starts; None for no limit. So any number of workers gets the same work, and with one this limit
            and `seconds` are the same.
        archs_per_trial: archs asked for before any of them has a row; see `tune_search`.
        workers: trials in flight.
        folder: of a run to make, with journal, `run.json`, `results.*` and `best.json`, as reports and
            trainings take it; None keeps nothing.

    Raises:
        UsageError: an argument that cannot be one, such as less than one worker or arch per trial, or a
            folder that holds a run.
    """
    check_search(searcher, evaluator)
    check_all(_LIMITS, {"num_samples": num_samples, "seconds": seconds, "work": work, "workers": workers})
    budget, clock, charged = Budget(num_samples, seconds), 0.0, 0.0
    listening = Listening()
    surroundings = nullcontext() if is_ours(evaluator) else Contained(listening)  # used a million times

    def evaluated(archs: Sequence[str]) -> list[Row]:
        with surroundings:
            return evaluate(evaluator, archs)

    def arrived(ends: float) -> None:
        nonlocal clock
        clock = ends

    def carry_out(trial_id: str, archs: Sequence[str]) -> tuple[float, dict[str, Any]]:
        nonlocal charged
        rows = rows_of(evaluated, archs)
        taken = duration(rows)
        charged += taken
        return clock + taken, result_of(rows)

    def spent() -> bool:
        return budget.spent(searcher.num_asked, clock) or (work is not None and charged >= work)

    if folder is not None:
        args = search_args(searcher, budget, driver=PROCESS, archs_per_trial=archs_per_trial)
        args |= {} if work is None else {"work": work}
        create_run(Path(folder), run_info("simulate", searcher, evaluator, args))
    searcher.attach(
        stop=spent,
        clock=lambda: clock,
        archs_per_trial=archs_per_trial,
    )
    with _kept(searcher, None if folder is None else Path(folder)), listening:
        drive(searcher, carry_out, workers=workers, arrived=arrived)
    return to_table(searcher)


@contextlib.contextmanager
def _kept(searcher: ArchSearcher, folder: Path | None) -> Iterator[None]:
    """Makes `folder` that of a run, if there is one; the journal is written at the end."""
    if folder is None:
        yield
        return
    with contextlib.closing(Journal(folder / FILE_NAME)) as journal, recorded(folder, searcher, {}):
        try:
            yield
        finally:
            for event in searcher.events:
                journal.append(event)


def duration(rows: Sequence[Row]) -> float:
    """Returns the seconds of a trial with `rows`; a row without any that are known takes none."""
    taken = (float(row.get("seconds") or 0.0) for row in rows)
    return sum(seconds for seconds in taken if 0 < seconds < math.inf)
