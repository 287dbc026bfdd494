"""The Tune trials: archs at once or an arch epoch by epoch, in actors that are reused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ray import tune

from nas_ray.drivers.ray_compat import names_of_tune
from nas_ray.drivers.work import work_for
from nas_ray.evaluation.base import Evaluator
from nas_ray.searchers.messages import EPOCHS, ROWS, SCORE, archs_of


class ArchTrial(tune.Trainable):  # type: ignore[misc]  # Ray ships no types
    """One evaluation of each arch in the config: `{"arch": str}` or `{"archs": [str]}`, and nothing else.

    An evaluator that trains makes a step of each epoch, so that a scheduler can stop or pause the trial in
    between. Data, space and proxies come with the evaluator, which Ray puts into its object store once and
    every actor takes once. `reset_config` only swaps the archs, so a trial costs no new process.
    """

    def setup(
        self,
        config: dict[str, Any],
        evaluator: Evaluator | None = None,
        threads: int = 1,
        timeout_s: float | None = None,
        flat: bool = False,
    ) -> None:
        """Takes the evaluator; one process computes with `threads` threads, whatever the machine has.

        Where callbacks listen, results are `flat`: they have the columns of their row beside it.
        """
        import torch

        assert evaluator is not None
        torch.set_num_threads(threads)
        self.work = work_for(evaluator, timeout_s)
        self.flat = flat
        self.work.take(archs_of(config))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next archs."""
        self.work.take(archs_of(new_config))
        return True

    def step(self) -> dict[str, Any]:
        """Returns the finished rows, or the row after one more epoch; a failure is a row as well."""
        result = self.work.step()
        return flat_result(result, self.work.archs) if self.flat else result

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Saves nothing: an unfinished trial is evaluated again, or goes on where the evaluator can."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Loads nothing."""


def flat_result(result: dict[str, Any], archs: Sequence[str]) -> dict[str, Any]:
    """Returns a result with the arch and the columns of its row beside the row; of several archs as it is.

    What Tune adds itself keeps its meaning, and by epochs `score` is what schedulers compare.
    """
    if len(result[ROWS]) != 1:
        return result
    own = {*names_of_tune(), *((SCORE,) if EPOCHS in result else ())}
    shown = {name: value for name, value in result[ROWS][0].items() if name not in own}
    return {**result, "arch": archs[0], **shown}
