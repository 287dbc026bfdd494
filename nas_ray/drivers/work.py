"""What a trial does, whatever process it is in: archs at once, or an arch epoch by epoch."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

from nas_ray.errors import failure
from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.evaluation.attempt import attempt
from nas_ray.evaluation.base import ChunkEvaluator, EpochEvaluator, Evaluator
from nas_ray.evaluation.gpu_memory import with_gpu_memory
from nas_ray.process.foreign_code import Contained, around, is_ours
from nas_ray.process.time_limit import TimedOut, time_limit
from nas_ray.rows import TIMED_OUT, Failure, Row, failed, plain_row
from nas_ray.searchers.messages import epoch_result, result_of


class ArchWork:
    """Evaluates the archs of a trial at once.

    Args:
        evaluator: what turns archs into rows.
        timeout_s: seconds that the evaluation of an arch may take.
    """

    def __init__(self, evaluator: Evaluator, timeout_s: float | None = None) -> None:
        if isinstance(evaluator, ChunkEvaluator | EpochEvaluator):
            keep_freed_memory()  # maps of a whole chunk, or of all layers, are large
        self.evaluator = evaluator
        self.timeout_s = timeout_s
        self.archs: Sequence[str] = ()
        self.worker = f"{socket.gethostname()}:{os.getpid()}"

    def take(self, archs: Sequence[str]) -> None:
        """Takes the archs of the next trial."""
        self.archs = archs

    def step(self) -> dict[str, Any]:
        """Returns the finished rows; a failure is a row as well."""
        rows = with_gpu_memory(lambda: attempt(self.evaluator, self.archs, self.timeout_s))
        return result_of([{**row, "worker": self.worker} for row in rows])


class EpochWork(ArchWork):
    """Trains one arch, an epoch per step, so that it can be left in between.

    What was trained is kept by the evaluator's own checkpoints: a trial that starts again, in this process or
    another, goes on after the last finished epoch.
    """

    _row: Row
    _spent: float
    _last: int

    def take(self, archs: Sequence[str]) -> None:
        """Leaves the arch that was trained and takes the next."""
        super().take(archs)
        self._evaluator = cast(EpochEvaluator, self.evaluator)
        self._rows: Iterator[Row] = self._evaluator.epochs(self.archs[0])
        of_arch = getattr(self._evaluator, "last_epoch", None)  # where not all archs end after the same
        self._last = self._evaluator.until if of_arch is None else of_arch(self.archs[0])
        self._row = {"worker": self.worker}
        self._spent = 0.0

    def step(self) -> dict[str, Any]:
        """Returns the row after one more epoch; a failure is the last."""
        start = time.perf_counter()
        try:
            limit = None if self.timeout_s is None else max(0.1, self.timeout_s - self._spent)
            with time_limit(limit), Contained() if is_ours(self._evaluator) else around(self._evaluator)():
                self._row = {**plain_row(next(self._rows)), "worker": self.worker}
        except Exception as error:
            self._row = {**self._row, **failed([failure(error)])}
        except TimedOut:
            late = Failure(f"timed out after {self.timeout_s:g} s", TIMED_OUT)
            self._row = {**self._row, **failed([late])}
        self._spent += time.perf_counter() - start
        metric = getattr(self._evaluator, "metric_column", "valid_acc")  # of evaluators that name another
        return epoch_result(self._row, self._last, metric)


def work_for(evaluator: Evaluator, timeout_s: float | None) -> ArchWork:
    """Returns the work of trials with `evaluator`: by epochs where it can be left after any."""
    return (EpochWork if isinstance(evaluator, EpochEvaluator) else ArchWork)(evaluator, timeout_s)
