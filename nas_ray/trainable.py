"""The Tune trial: evaluates one arch, in an actor that is reused for the next."""

from __future__ import annotations

import os
import socket
from typing import Any

from ray import tune

from nas_ray.errors import describe
from nas_ray.evaluate import Evaluator
from nas_ray.searchers.base import ROW, SCORE
from nas_ray.searchers.fitness import Row


class ArchTrial(tune.Trainable):  # type: ignore[misc]  # Ray ships no types
    """One evaluation of one arch; the config is `{"arch": str}` and nothing else.

    Data, space and proxies come with the evaluator, which Ray puts into its object store once and every actor
    takes once. `reset_config` only swaps the arch, so a trial costs no new process.
    """

    def setup(self, config: dict[str, Any], evaluator: Evaluator | None = None, threads: int = 1) -> None:
        """Takes the evaluator; one process computes with `threads` threads, whatever the machine has."""
        import torch

        torch.set_num_threads(threads)
        self.evaluator = evaluator
        self.arch: str = config["arch"]
        self.worker = f"{socket.gethostname()}:{os.getpid()}"

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next arch."""
        self.arch = new_config["arch"]
        return True

    def step(self) -> dict[str, Any]:
        """Returns the finished row; a failure is a row as well."""
        rows: list[Row] = []
        try:
            assert self.evaluator is not None
            self.evaluator(self.arch, rows.append)
            row = rows[-1]
        except (Exception, SystemExit) as error:
            row = {"seconds": 0.0, "error": describe(error)}
        row = {**row, "worker": self.worker}
        return {**{ROW + name: value for name, value in row.items()}, SCORE: 0.0, "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Saves nothing: an unfinished trial is evaluated again."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Loads nothing."""
