"""Runs the stages of successive halving, each into a folder of its own."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from nas_ray.drivers.keeping import replay_run
from nas_ray.drivers.plan import Budget, Listeners, Plan
from nas_ray.drivers.progress import SearchProgress
from nas_ray.drivers.run_trials import run_trials
from nas_ray.drivers.table import to_table
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import Evaluator
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.rows import Row, scores_alone
from nas_ray.runs.journal import FILE_NAME, Journal, rows_of
from nas_ray.runs.writing import write_table
from nas_ray.search.estimation import in_run
from nas_ray.search.experiment import Prepared
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.searchers import ArchSearcher
from nas_ray.searchers.given import GivenArchs


class KnownScores:
    """Reports the scores that an arch already has, in its row of before."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = {arch: scores_alone(row) for arch, row in rows.items()}

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports them, without the seconds, which were spent before."""
        report(dict(self._rows[arch]))


def rung_name(epochs: int) -> str:
    """Returns the name of the folder of a rung."""
    return f"epochs-{epochs:03d}"


class Driver:
    """Runs stages where the plan says, each into a folder of its own."""

    def __init__(
        self, args: TwoStageArgs, experiment: Prepared, plan: Plan, folder: Path, errors: Console
    ) -> None:
        self._args, self._experiment = args, experiment
        self._plan = dataclasses.replace(plan, trial_timeout_s=args.trial_timeout_s)
        self._folder, self._errors = folder, errors

    def scores(self, searcher: ArchSearcher, evaluator: Evaluator) -> list[Row]:
        """Returns the rows of the search by scores."""
        plan = dataclasses.replace(self._plan, archs_per_trial=self._args.archs_per_trial)
        return self._run("scores", searcher, evaluator, plan, self._experiment.budget)

    def rung(self, searcher: GivenArchs, training: ShortTraining) -> list[Row]:
        """Returns the rows of a rung."""
        budget = Budget(searcher.count)
        return self._run(rung_name(training.until), searcher, training, self._plan, budget)

    def _run(
        self,
        name: str,
        searcher: ArchSearcher,
        evaluator: Evaluator,
        plan: Plan,
        budget: Budget,
    ) -> list[Row]:
        folder = self._folder / name
        placed = in_run(evaluator, plan.accelerator, self._folder)
        folder.mkdir(exist_ok=True)
        with contextlib.closing(Journal(folder / FILE_NAME)) as journal:
            try:
                replay_run(searcher, folder)
            except (ValueError, KeyError) as error:
                raise UsageError(f"The run {self._folder} cannot be continued: {error}") from error
            label = self._experiment.label
            with SearchProgress(self._errors, budget.num_samples, searcher.fitness, label) as progress:
                progress.replayed(rows_of(searcher.events))
                listeners = Listeners(progress, progress.trained)
                run_trials(searcher, placed, plan, budget, listeners, folder=folder, journal=journal)
        write_table(folder, to_table(searcher))
        return searcher.rows_as_told()
