"""Runs the stages of successive halving on Ray, each into a folder of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from nas_ray.drivers.keeping import replay_run
from nas_ray.drivers.progress import SearchProgress
from nas_ray.drivers.resources import Plan
from nas_ray.drivers.tune_search import to_table, tune_search
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import Evaluator
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.rows import Row, scores_alone
from nas_ray.runs.journal import FILE_NAME, Journal, rows_of
from nas_ray.runs.writing import write_table
from nas_ray.search.experiment import Experiment
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.searchers import ArchSearcher
from nas_ray.searchers.given import GivenArchs


class KnownScores:
    """Reports the scores that an arch already has."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {row["arch"]: scores_alone(row) for row in rows}

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports them, without the seconds, which were spent before."""
        report(dict(self._rows[arch]))


class Driver:
    """Runs stages on Ray, each into a folder of its own."""

    def __init__(
        self, args: TwoStageArgs, experiment: Experiment, plan: Plan, folder: Path, errors: Console
    ) -> None:
        self._args, self._experiment, self._plan = args, experiment, plan
        self._folder, self._errors = folder, errors
        self.accelerator = "gpu" if plan.gpus_per_trial else "cpu"

    def scores(self, searcher: ArchSearcher, evaluator: Evaluator) -> list[Row]:
        """Returns the rows of the search by scores."""
        args, count = self._args, self._experiment.num_samples
        return self._run(
            "scores",
            searcher,
            evaluator,
            count,
            seconds=args.time_budget_s,
            archs_per_trial=args.archs_per_trial,
        )

    def rung(self, searcher: GivenArchs, training: ShortTraining) -> list[Row]:
        """Returns the rows of a rung."""
        return self._run(f"epochs-{training.until:03d}", searcher, training, searcher.count)

    def _run(
        self,
        name: str,
        searcher: ArchSearcher,
        evaluator: Evaluator,
        count: int | None,
        *,
        seconds: float | None = None,
        archs_per_trial: int = 1,
    ) -> list[Row]:
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        with contextlib.closing(Journal(folder / FILE_NAME)) as journal:
            try:
                replay_run(searcher, folder)
            except (ValueError, KeyError) as error:
                raise UsageError(f"The run {self._folder} cannot be continued: {error}") from error
            label = self._experiment.label
            with SearchProgress(self._errors, count, searcher.fitness, label) as progress:
                progress.replayed(rows_of(searcher.events))
                tune_search(
                    searcher,
                    evaluator,
                    folder=folder,
                    num_samples=count,
                    seconds=seconds,
                    max_concurrent=self._plan.max_concurrent,
                    archs_per_trial=archs_per_trial,
                    cpus_per_trial=self._plan.cpus_per_trial,
                    gpus_per_trial=self._plan.gpus_per_trial,
                    trial_timeout_s=self._args.trial_timeout_s,
                    on_event=progress,
                    on_epoch=progress.trained,
                    journal=journal,
                )
        write_table(folder, to_table(searcher))
        return searcher.rows_as_told()
