"""Successive halving over fidelities: score many archs, train the best, and the best of those for longer."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from nas_ray.drivers.lifecycle import Ending, begin, guarded
from nas_ray.errors import UsageError
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.identity import IMAGES, check_unchanged
from nas_ray.images.image_data import ImageDataModule
from nas_ray.rows import Row, final_arch
from nas_ray.runs.folder import read_run, unmake_run, update_run
from nas_ray.runs.journal import FILE_NAME, read_journal, rows_of
from nas_ray.runs.kept import lost
from nas_ray.runs.resume import resume_command
from nas_ray.search.estimation import VALID_ACC
from nas_ray.search.experiment import introduce, prepare
from nas_ray.search.foretold import expected, time_lines
from nas_ray.search.session import describe, next_of, opened_run, run_place, stored_form
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.search.two_stage_driver import Driver, KnownScores, rung_name
from nas_ray.search.two_stage_report import Stage, finish
from nas_ray.searchers import Fitness, Mixed, Single
from nas_ray.searchers.given import GivenArchs
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.next_steps import say_next
from nas_ray.training.recipes import Recipe, parse_recipe
from nas_ray.training.task_args import is_text


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
    with opened_run(args, place, "two_stage", halving.info) as folder:
        halving.check(folder)
        return guarded(
            lambda: halving.whole(folder, place, console, began), halving.ending(folder, place), console
        )


class Halving:
    """The stages of a run, each with a journal of its own below the run folder.

    Raises:
        UsageError: anything in the arguments that cannot work.
    """

    def __init__(self, args: TwoStageArgs) -> None:
        if args.start_from is not None:
            raise UsageError(
                f"--start-from {args.start_from} needs a search of one stage, such as nas-ray search; "
                "leave it out."
            )
        self.args = args
        self.rungs = args.checked_rungs()
        self.recipe = recipe_of(args, self.rungs[-1])
        if is_text(args):
            raise UsageError(
                "A two-stage search trains on images and no text; leave --task out, or search a text with "
                "rea or search."
            )
        self.experiment = prepare("two_stage", dataclasses.replace(args, fidelity=None), args.searcher)
        said = self.experiment.args  # which names what the scores are
        self.args = dataclasses.replace(args, proxies=said.proxies, fitness=said.fitness)
        self.fitness = training_fitness(args, self.experiment.fitness)

    @property
    def seen(self) -> dict[str, str]:
        """Hashes of the images that archs are scored and trained on."""
        return {
            "minibatch_sha256": self.experiment.batch_fingerprint,
            "training": self.training(1).earlier_fingerprint,
        }

    def info(self) -> dict[str, Any]:
        """Returns what `run.json` says."""
        return {**describe(self.experiment), "args": stored_form(self.args), **self.seen}

    def check(self, folder: Path) -> None:
        """Checks that a run to resume saw the same images.

        Raises:
            UsageError: it saw others.
        """
        info = read_run(folder)
        if any(info.get(name) != value for name, value in self.seen.items()):
            raise UsageError(f"The run {folder} saw other images; bring the same back, or start a new run.")
        check_unchanged(info, {IMAGES: self.experiment.images.sha256}, f"The run {folder}")

    def ending(self, folder: Path, place: str | Path) -> Ending:
        """Returns what is left and said where the run ends early."""
        return Ending(
            "run",
            lambda status: self._leave(folder, status),
            kept="nothing is lost",
            where=lambda: f"what was evaluated is kept in {place}",
            lost=lambda: lost(place, folder),
            go_on=lambda: resume_command(place, self.args.address),
            verbose=self.args.verbose,
        )

    def _leave(self, folder: Path, status: str) -> None:
        begun = any(path.stat().st_size for path in folder.glob(f"*/{FILE_NAME}"))
        if status == "failed" and self.args.resume is None and not begun:
            unmake_run(folder)
        else:
            update_run(folder, status=status)

    def whole(self, folder: Path, place: str | Path, console: Console, began: float) -> int:
        """Runs what is not done yet, reports, and returns the exit code."""
        stages = self.run(folder, place, console)
        code = finish(self.experiment, stages, folder, console, time.monotonic() - began)
        say_next(console, *next_of(place, self.args, found=not code))
        return code

    def training(self, until: int, **options: object) -> ShortTraining:
        """Returns the training of a rung."""
        experiment, images = self.experiment, self.experiment.images
        assert isinstance(images, ImageDataModule)  # a text was refused
        return ShortTraining(
            experiment.final_space,
            images.num_classes,
            images.train_images,
            self.recipe,
            until=until,
            init_seed=self.args.init_seed,
            split_seed=self.args.batch_seed,
            keep_checkpoints=until != self.rungs[-1],
            **options,  # type: ignore[arg-type]
        )

    def _left(self, folder: Path) -> float:
        """Returns how many whole trainings the epochs of all rungs are, without the rows that are there."""
        count, before, epochs = self.args.keep, 0, 0
        for rung in self.rungs:
            journal = folder / rung_name(rung) / FILE_NAME
            done = len(rows_of(read_journal(journal))) if journal.is_file() else 0
            epochs += max(0, count - done) * (rung - before)
            count, before = max(1, math.ceil(count / self.args.reduction_factor)), rung
        return epochs / before

    def run(self, folder: Path, place: str | Path, console: Console) -> list[Stage]:
        """Runs what is not done yet and returns all stages."""
        experiment, errors = self.experiment, error_console()
        plan = begin(experiment.request, errors, verbose=self.args.verbose)
        whole, left = self.training(self.rungs[-1]), self._left(folder)
        time_left = time_lines(expected(whole, experiment.final_space, left, experiment.request, plan))
        introduce(experiment, plan.where, place, console, time_left)
        update_run(folder, status="running", **{IMAGES: experiment.images.sha256})
        drive = Driver(self.args, experiment, plan, folder, errors)
        stages = [
            Stage("scores", 0, drive.scores(experiment.searcher, experiment.evaluator), experiment.fitness)
        ]
        scores = KnownScores(best_rows(stages[0]))
        count = self.args.keep
        for epochs in self.rungs:
            chosen = best_archs(stages[-1], count)
            done = len({final_arch(row) for row in stages[-1].rows})
            say(console, f"{stages[-1].name}: {len(chosen)} of {done} go on to {epochs} epochs")
            training = self.training(epochs, scores=scores)
            searcher = GivenArchs(experiment.final_space, fitness=self.fitness, archs=chosen)
            stages.append(Stage(epochs_of(epochs), epochs, drive.rung(searcher, training), self.fitness))
            count = max(1, math.ceil(len(chosen) / self.args.reduction_factor))
        return stages


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

    At ties the earlier row wins. What a row found goes on in the place of what was asked.
    """
    return list(best_rows(stage))[:count]


def best_rows(stage: Stage) -> dict[str, Row]:
    """Returns by arch, the best first, the row of `stage` with its best finite fitness."""
    known = list({row["arch"]: row for row in stage.rows}.values())
    values = stage.fitness(known)
    best: dict[str, Row] = {}
    for position in sorted(range(len(known)), key=lambda position: -values[position]):
        if math.isfinite(values[position]):
            best.setdefault(final_arch(known[position]), known[position])
    return best


def epochs_of(count: int) -> str:
    """Returns `1 epoch` or `2 epochs`."""
    return "1 epoch" if count == 1 else f"{count} epochs"
