"""The Tune trials: archs at once or an arch epoch by epoch, in actors that are reused."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from typing import Any, cast

from ray import tune

from nas_ray.errors import failure
from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.evaluation.attempt import attempt
from nas_ray.evaluation.base import ChunkEvaluator, EpochEvaluator, Evaluator
from nas_ray.evaluation.gpu_memory import with_gpu_memory
from nas_ray.process.foreign_code import Contained, around, is_ours
from nas_ray.process.time_limit import TimedOut, time_limit
from nas_ray.rows import TIMED_OUT, Failure, Row, failed, plain_row
from nas_ray.searchers.messages import archs_of, epoch_result, result_of


class ArchTrial(tune.Trainable):  # type: ignore[misc]  # Ray ships no types
    """One evaluation of each arch in the config: `{"arch": str}` or `{"archs": [str]}`, and nothing else.

    Data, space and proxies come with the evaluator, which Ray puts into its object store once and every actor
    takes once. `reset_config` only swaps the archs, so a trial costs no new process.
    """

    def setup(
        self,
        config: dict[str, Any],
        evaluator: Evaluator | None = None,
        threads: int = 1,
        timeout_s: float | None = None,
    ) -> None:
        """Takes the evaluator; one process computes with `threads` threads, whatever the machine has."""
        import torch

        torch.set_num_threads(threads)
        if isinstance(evaluator, ChunkEvaluator | EpochEvaluator):
            keep_freed_memory()  # maps of a whole chunk, or of all layers, are large
        self.evaluator = evaluator
        self.timeout_s = timeout_s
        self.archs = archs_of(config)
        self.worker = f"{socket.gethostname()}:{os.getpid()}"

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next archs."""
        self.archs = archs_of(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Returns the finished rows; a failure is a row as well."""
        assert self.evaluator is not None
        evaluator = self.evaluator
        rows = with_gpu_memory(lambda: attempt(evaluator, self.archs, self.timeout_s))
        return result_of([{**row, "worker": self.worker} for row in rows])

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Saves nothing: an unfinished trial is evaluated again."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Loads nothing."""


class EpochTrial(ArchTrial):
    """One arch, an epoch per step, so that a scheduler can stop or pause it in between.

    What was trained is kept by the evaluator's own checkpoints: a trial that starts again, in this worker or
    another, goes on after the last finished epoch.
    """

    _row: Row
    _spent: float

    def setup(
        self,
        config: dict[str, Any],
        evaluator: Evaluator | None = None,
        threads: int = 1,
        timeout_s: float | None = None,
    ) -> None:
        """Takes the evaluator, an `EpochEvaluator`."""
        super().setup(config, evaluator, threads, timeout_s)
        self._begin()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Leaves the arch that was trained and takes the next."""
        taken = super().reset_config(new_config)
        self._begin()
        return taken

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
        return epoch_result(self._row, self._last)

    def _begin(self) -> None:
        self._evaluator = cast(EpochEvaluator, self.evaluator)
        self._rows: Iterator[Row] = self._evaluator.epochs(self.archs[0])
        of_arch = getattr(self._evaluator, "last_epoch", None)  # where not all archs end after the same
        self._last: int = self._evaluator.until if of_arch is None else of_arch(self.archs[0])
        self._row = {"worker": self.worker}
        self._spent = 0.0
