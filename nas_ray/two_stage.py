"""Successive halving over fidelities: score many archs, train the best, and the best of those for longer."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.evaluate import Evaluator
from nas_ray.evaluators import VALID_ACC
from nas_ray.evaluators import place as place_evaluator
from nas_ray.experiment import introduce, prepare
from nas_ray.foreign import check_own_files
from nas_ray.interrupts import INTERRUPTED, end_as_ctrl_c, ignore_stopping, stop_ray
from nas_ray.journal import FILE_NAME, Journal, read_journal, rows_of
from nas_ray.mirror import run_folder
from nas_ray.modules.recipes import Recipe, parse_recipe
from nas_ray.progress import SearchProgress
from nas_ray.resources import Plan, start_ray
from nas_ray.runs import create_run, read_run, update_run, write_table
from nas_ray.search import to_table, tune_search
from nas_ray.searchers import ArchSearcher, Fitness, Mixed, Single
from nas_ray.searchers.fitness import Row
from nas_ray.searchers.given import GivenArchs
from nas_ray.session import describe, resume_command, run_place, stored_form
from nas_ray.short_training import ShortTraining
from nas_ray.two_stage_args import TwoStageArgs
from nas_ray.two_stage_report import Stage, finish

OWN = {"trial", "arch", "worker", "finished_at", "seconds", "error", "reused", "fitness"}
"""Columns of a row of scores that do not join the row of its training."""


def run(args: TwoStageArgs, console: Console) -> int:
    """Runs or resumes a search by scores and the halving of its best by short training.

    Returns the exit code: 0, 1 if no training succeeded, or 130 if interrupted.

    Raises:
        UsageError: bad input.
    """
    began = time.monotonic()
    args = args.smoked() if args.smoke and args.resume is None else args
    halving = Halving(args)
    place = run_place(args, "two_stage")
    with run_folder(place, new=not args.resume) as folder:
        halving.open(folder)
        try:
            stages = halving.run(folder, place, console)
            stop_ray()
            code = finish(halving.experiment, stages, folder, console, time.monotonic() - began)
            console.print(f"Run folder: {place}", highlight=False, soft_wrap=True)
            return code
        except (KeyboardInterrupt, SystemExit):
            ignore_stopping()
            stop_ray()
            update_run(folder, status="interrupted")
            console.print("\nInterrupted; nothing is lost. Continue with:", highlight=False)
            console.print(f"  {resume_command(place, args.address)}", highlight=False, soft_wrap=True)
            return INTERRUPTED
        finally:
            stop_ray()


class Halving:
    """The stages of a run, each with a journal of its own below the run folder.

    Raises:
        UsageError: anything in the arguments that cannot work.
    """

    def __init__(self, args: TwoStageArgs) -> None:
        self.args = args
        self.rungs = args.checked_rungs()
        self.recipe = recipe_of(args, self.rungs[-1])
        self.experiment = prepare("two_stage", dataclasses.replace(args, fidelity=None), args.searcher)
        self.fitness = training_fitness(args, self.experiment.fitness)

    def open(self, folder: Path) -> None:
        """Makes the run folder, or checks that the one to resume saw the same images.

        Raises:
            UsageError: it saw others, or cannot be written.
        """
        seen = {
            "minibatch_sha256": self.experiment.batch_fingerprint,
            "training": self.training(1).fingerprint,
        }
        if not self.args.resume:
            create_run(folder, {**describe(self.experiment), "args": stored_form(self.args), **seen})
            return
        check_own_files(folder)
        info = read_run(folder)
        if any(info.get(name) != value for name, value in seen.items()):
            raise UsageError(f"The run {folder} saw other images; bring the same back, or start a new run.")

    def training(self, until: int, **options: object) -> ShortTraining:
        """Returns the training of a rung."""
        experiment = self.experiment
        return ShortTraining(
            experiment.space,
            experiment.images.num_classes,
            experiment.images.train_images,
            self.recipe,
            until=until,
            init_seed=self.args.init_seed,
            split_seed=self.args.batch_seed,
            keep_checkpoints=until != self.rungs[-1],
            **options,  # type: ignore[arg-type]
        )

    def run(self, folder: Path, place: str | Path, console: Console) -> list[Stage]:
        """Runs what is not done yet and returns all stages."""
        experiment, errors = self.experiment, Console(stderr=True)
        with errors.status("starting Ray ...") if errors.is_terminal else contextlib.nullcontext():
            plan = start_ray(experiment.request, verbose=self.args.verbose)
        end_as_ctrl_c()
        introduce(experiment, plan.where, place, console)
        update_run(folder, status="running")
        drive = Driver(self, plan, folder, errors)
        place_evaluator(experiment.evaluator, drive.accelerator, folder)
        stages = [
            Stage("scores", 0, drive.scores(experiment.searcher, experiment.evaluator), experiment.fitness)
        ]
        scores = KnownScores(stages[0].rows)
        count = self.args.keep
        for epochs in self.rungs:
            chosen = best_archs(stages[-1], count)
            done = len({row["arch"] for row in stages[-1].rows})
            console.print(
                f"{stages[-1].name}: {len(chosen)} of {done} go on to {epochs} epochs", highlight=False
            )
            training = self.training(epochs, scores=scores)
            place_evaluator(training, drive.accelerator, folder)
            searcher = GivenArchs(experiment.space, fitness=self.fitness, archs=chosen)
            stages.append(Stage(epochs_of(epochs), epochs, drive.rung(searcher, training), self.fitness))
            count = max(1, math.ceil(len(chosen) / self.args.reduction_factor))
        return stages


class KnownScores:
    """Reports the scores that an arch already has."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {row["arch"]: {name: row[name] for name in row if name not in OWN} for row in rows}

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports them, without the seconds, which were spent before."""
        report(dict(self._rows[arch]))


class Driver:
    """Runs stages on Ray, each into a folder of its own."""

    def __init__(self, halving: Halving, plan: Plan, folder: Path, errors: Console) -> None:
        self._halving, self._plan, self._folder, self._errors = halving, plan, folder, errors
        self.accelerator = "gpu" if plan.gpus_per_trial else "cpu"

    def scores(self, searcher: ArchSearcher, evaluator: Evaluator) -> list[Row]:
        """Returns the rows of the search by scores."""
        args, count = self._halving.args, self._halving.experiment.num_samples
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
                searcher.replay(read_journal(folder / FILE_NAME))
            except (ValueError, KeyError) as error:
                raise UsageError(f"The run {self._folder} cannot be continued: {error}") from error
            label = self._halving.experiment.label
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
                    trial_timeout_s=self._halving.args.trial_timeout_s,
                    on_event=progress,
                    on_epoch=progress.trained,
                    journal=journal,
                )
        write_table(folder, to_table(searcher))
        return searcher.history


def recipe_of(args: TwoStageArgs, epochs: int) -> Recipe:
    """Returns the recipe of `args`, as long as the last rung.

    Raises:
        UsageError: no recipe.
    """
    recipe = parse_recipe(args.fidelity or "fast")
    return dataclasses.replace(recipe, epochs=epochs, warmup_epochs=min(recipe.warmup_epochs, epochs))


def training_fitness(args: TwoStageArgs, scores: Fitness) -> Fitness:
    """Returns what decides between trained archs: `valid_acc`, or a mixture with the scores."""
    names = tuple(getattr(scores, "names", ()))
    return Single((VALID_ACC,)) if args.weight == 1 or not names else Mixed((*names, VALID_ACC), args.weight)


def best_archs(stage: Stage, count: int) -> list[str]:
    """Returns the `count` different archs of `stage` with the best finite fitness, the best first.

    At ties the earlier row wins.
    """
    known = list({row["arch"]: row for row in stage.rows}.values())
    values = stage.fitness(known)
    order = sorted(range(len(known)), key=lambda position: -values[position])
    return [str(known[position]["arch"]) for position in order if math.isfinite(values[position])][:count]


def epochs_of(count: int) -> str:
    """Returns `1 epoch` or `2 epochs`."""
    return "1 epoch" if count == 1 else f"{count} epochs"
