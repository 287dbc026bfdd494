"""The Tune trial: evaluates one arch or a chunk of them, in an actor that is reused for the next."""

from __future__ import annotations

import os
import socket
from typing import Any

from ray import tune

from nas_ray.chunks import ChunkEvaluator, attempt
from nas_ray.evaluate import Evaluator
from nas_ray.memory import keep_freed_memory
from nas_ray.searchers.messages import archs_of, result_of


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
        if isinstance(evaluator, ChunkEvaluator):
            keep_freed_memory()  # maps of a whole chunk are large
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
        rows = attempt(self.evaluator, self.archs, self.timeout_s)
        return result_of([{**row, "worker": self.worker} for row in rows])

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Saves nothing: an unfinished trial is evaluated again."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Loads nothing."""
