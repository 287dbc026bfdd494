"""Which pending trial Tune starts next."""

from __future__ import annotations

from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler


class NewestFirst(FIFOScheduler):  # type: ignore[misc]  # Ray ships no types
    """Starts the newest pending trial first, so that every worker that was asked for comes up.

    A free worker is handed to the pending trial that is chosen, and if that trial already has a worker of its
    own starting up, Tune kills the one that starts. Oldest first, as Tune does by default, the trial that
    waits for the second worker is chosen each time the first is free; with trials shorter than a worker's
    start (seconds), only one worker ever lives. Newest first, the free worker goes on with the new trial and
    the waiting one keeps its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._added = 0
        self._number: dict[str, int] = {}  # trial id -> order of arrival

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Notes the order of arrival."""
        self._added += 1
        self._number[trial.trial_id] = self._added

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """Forgets the trial."""
        self._number.pop(trial.trial_id, None)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Forgets the trial."""
        self._number.pop(trial.trial_id, None)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Returns the newest trial that is pending, if any."""
        pending = [trial for trial in tune_controller.get_live_trials() if trial.status == Trial.PENDING]
        return max(pending, key=lambda trial: self._number.get(trial.trial_id, 0), default=None)
