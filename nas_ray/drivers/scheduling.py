"""Which pending trial Tune starts next, and which it stops early."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import (
    AsyncHyperBandScheduler,
    FIFOScheduler,
    HyperBandScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

from nas_ray.drivers.ray_compat import live_trials
from nas_ray.rows import Row
from nas_ray.searchers.messages import EPOCHS, SCORE
from nas_ray.training.stopping import SCHEDULERS, check_scheduler

__all__ = [
    "SCHEDULERS",
    "Asha",
    "HyperBand",
    "Median",
    "NewestFirst",
    "TrialScheduler",
    "make_scheduler",
    "teach",
    "waiting_trials",
]


class NewestPending:
    """Beside a scheduler of Tune's, starts the newest pending trial first, so that every worker comes up.

    A free worker is handed to the pending trial that is chosen, and if that trial already has a worker of its
    own starting up, Tune kills the one that starts. Oldest first, as Tune does by default, the trial that
    waits for the second worker is chosen each time the first is free; with trials shorter than a worker's
    start (seconds), only one worker ever lives. Newest first, the free worker goes on with the new trial and
    the waiting one keeps its own.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._added = 0
        self._number: dict[str, int] = {}  # trial id -> order of arrival

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Notes the order of arrival."""
        self._added += 1
        self._number[trial.trial_id] = self._added
        super().on_trial_add(tune_controller, trial)  # type: ignore[misc]  # of the scheduler beside

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """Forgets the trial."""
        self._number.pop(trial.trial_id, None)
        super().on_trial_complete(tune_controller, trial, result)  # type: ignore[misc]

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Forgets the trial."""
        self._number.pop(trial.trial_id, None)
        super().on_trial_error(tune_controller, trial)  # type: ignore[misc]

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Returns the newest trial that is pending, if any."""
        pending = [trial for trial in live_trials(tune_controller) if trial.status == Trial.PENDING]
        return max(pending, key=lambda trial: self._number.get(trial.trial_id, 0), default=None)


class NewestFirst(NewestPending, FIFOScheduler):  # type: ignore[misc]  # Ray ships no types
    """Stops nothing."""


class Asha(NewestPending, AsyncHyperBandScheduler):  # type: ignore[misc]
    """Stops a trial at a rung where it is not among the best so far.

    Source: Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, in the stopping
    form of Ray Tune.
    """


class Median(NewestPending, MedianStoppingRule):  # type: ignore[misc]
    """Stops a trial whose best is below the median of the others' running means.

    Source: Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017.
    """


class HyperBand(HyperBandScheduler):  # type: ignore[misc]
    """Pauses the trials of a bracket until all are as far, and goes on with the best of them.

    Source: Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", JMLR 2018,
    algorithm 1, whose brackets `n = ceil(B / R * eta^s / (s + 1))` make a band.

    Attributes:
        band_size: trials of all brackets of a band.
    """

    def __init__(self, *, max_t: int, reduction_factor: float, **options: Any) -> None:
        super().__init__(max_t=max_t, reduction_factor=reduction_factor, **options)
        brackets = round(math.log(max_t) / math.log(reduction_factor)) + 1  # as Tune counts them
        self.band_size = sum(
            math.ceil(brackets / (number + 1) * reduction_factor**number) for number in range(brackets)
        )


def make_scheduler(
    name: str, *, epochs: int = 1, grace_epochs: int = 1, reduction_factor: float = 3
) -> TrialScheduler:
    """Returns the scheduler `name` of Ray Tune, set to maximise `valid_acc` over epochs.

    Args:
        name: one of `SCHEDULERS`.
        epochs: of a trial that is not stopped.
        grace_epochs: epochs before a trial may be stopped; asha and median.
        reduction_factor: one in so many goes on at a rung; asha and hyperband.

    Raises:
        UsageError: unknown scheduler, or a number out of range.
    """
    check_scheduler(name, epochs=epochs, grace_epochs=grace_epochs, reduction_factor=reduction_factor)
    counted = {"time_attr": EPOCHS, "metric": SCORE, "mode": "max"}
    if name == "asha":
        return Asha(**counted, max_t=epochs, grace_period=grace_epochs, reduction_factor=reduction_factor)
    if name == "hyperband":
        return HyperBand(**counted, max_t=epochs, reduction_factor=reduction_factor)
    if name == "median":
        return Median(**counted, grace_period=grace_epochs, min_samples_required=3)
    return NewestFirst()


def waiting_trials(scheduler: TrialScheduler) -> int:
    """Returns how many trials `scheduler` compares with each other: hyperband all of a band, others none."""
    return scheduler.band_size if isinstance(scheduler, HyperBand) else 0


class _Past:
    """What a scheduler looks at of a trial that ended in an earlier process."""

    def __init__(self, number: int) -> None:
        self.trial_id = f"past-{number}"


def teach(scheduler: TrialScheduler, rows: Iterable[Row], metric: str = "valid_acc") -> None:
    """Shows a new `Asha` or `Median` the learning curves of a search that is resumed.

    Args:
        scheduler: of a search.
        rows: of its trials, with the values of `metric` after each epoch as `curve`.
        metric: smaller is better where it begins with a minus.
    """
    sign = -1.0 if metric.startswith("-") else 1.0
    if not isinstance(scheduler, (Asha, Median)):
        return
    for number, row in enumerate(rows):
        trial, result = _Past(number), dict[str, Any]()
        curve = [sign * float(value) for value in str(row.get("curve") or "").split()]
        if row.get("error") or row.get("reused") or not curve:
            continue
        scheduler.on_trial_add(None, trial)
        for epoch, value in enumerate(curve, 1):
            result = {EPOCHS: epoch, SCORE: value}
            scheduler.on_trial_result(None, trial, result)
        scheduler.on_trial_complete(None, trial, result)
