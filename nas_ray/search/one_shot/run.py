"""Runs one-shot methods side by side, each seed a trial, and says what the archs that they find are worth."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import cast

from rich.console import Console

from nas_ray.benchmarks import open_benchmark
from nas_ray.drivers.plan import Budget, Plan
from nas_ray.drivers.resources import check_request
from nas_ray.errors import UsageError
from nas_ray.images.splits import NetImages
from nas_ray.search.estimation import VALID_ACC, stopping
from nas_ray.search.experiment import Runnable
from nas_ray.search.one_shot.args import OneShotArgs
from nas_ray.search.one_shot.settings import MethodSettings
from nas_ray.search.one_shot.worth import show_methods
from nas_ray.search.requests import request_for
from nas_ray.search.session import run_prepared
from nas_ray.searchers import Single
from nas_ray.searchers.given import GivenArchs
from nas_ray.shared_weights.methods.recurrent import RECIPE
from nas_ray.shared_weights.one_shot.training import NetSize, OneShotTraining, is_pruning
from nas_ray.spaces import FiniteSpace, HandDesigned
from nas_ray.spaces.base import SearchSpace, fitted_space
from nas_ray.spaces.edges import EdgeSpace
from nas_ray.spaces.named import make_space
from nas_ray.spaces.rnn.space import DartsRnn
from nas_ray.training.stopping import check_scheduler
from nas_ray.training.task_args import open_subject
from nas_ray.training.text_task import TextTask

NAME = "one_shot"


@dataclass(frozen=True, kw_only=True)
class PreparedOneShot(Runnable):
    """Methods and seeds, checked; made by `prepare_one_shot`."""

    args: OneShotArgs

    @property
    def about(self) -> list[str]:
        """The first lines of the introduction."""
        args, training = self.args, cast(OneShotTraining, self.evaluator)
        seeds = f"{args.seeds} seed{'' if args.seeds == 1 else 's'} each"
        epochs = [f"{text} {training.last_epoch(text)}" for text in args.methods if not is_pruning(text)]
        return [
            f"one-shot search on {args.space} for {args.dataset}: {', '.join(args.methods)}, {seeds}",
            *([f"epochs     {', '.join(epochs)}"] if epochs else []),
            f"trains     {training.described()}",
            *self._copies(training),
        ]

    def planned(self, plan: Plan) -> Plan:
        """Returns `plan` with what the arguments say of trials."""
        args, training = self.args, cast(OneShotTraining, self.evaluator)
        epochs = max(training.last_epoch(text) for text in args.methods)
        return dataclasses.replace(super().planned(plan), scheduler=stopping(args, epochs))

    @staticmethod
    def _copies(training: OneShotTraining) -> list[str]:
        copies = training.parts.copies
        said = "architecture weights are trained on them as well, which favours what remembers"
        return [f"copies     {copies:,} images are in both parts, as copies; {said}"] if copies else []


def prepare_one_shot(args: OneShotArgs) -> PreparedOneShot:
    """Returns the experiment that `args` describe.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    args.check()
    request = request_for(args)
    check_request(request)
    images = open_subject(args, batch_size=args.image_recipe.batch_size, batch_seed=args.batch_seed)
    learned: NetImages | TextTask
    if isinstance(images, TextTask):
        space, learned = reading_space(make_space(args.space), args.space), images
        recipe = dataclasses.replace(RECIPE, data_fraction=args.data_fraction)
    else:
        space = edge_space(fitted_space(make_space(args.space), images.image_size), args.space)
        learned, recipe = images.train_images, args.image_recipe
    training = OneShotTraining(
        space,
        images.num_classes,
        learned,
        recipe=recipe,
        epochs=args.epochs,
        size=NetSize(args.channels, args.cells),
        split_seed=args.batch_seed,
        batch_size=args.batch_size,
        arch_lr=args.arch_lr,
        curvature=args.lambda_max,
        beside_pruning=any(map(is_pruning, args.methods)),
    )
    for text in args.methods:
        training.new_module(text, 0)  # refuses what has no supernet, or not one as the method needs it
    epochs = max(training.last_epoch(text) for text in args.methods)
    check_scheduler(
        args.scheduler, epochs=epochs, grace_epochs=args.grace_epochs, reduction_factor=args.reduction_factor
    )
    listed = space if isinstance(space, FiniteSpace) and not isinstance(space, HandDesigned) else None
    settings = MethodSettings(space, args.settings)
    return PreparedOneShot(
        name=NAME,
        args=args,
        space=settings,
        searcher=GivenArchs(settings, fitness=Single((VALID_ACC,)), archs=args.settings),
        scores=(VALID_ACC,),
        evaluator=training,
        benchmark=None if listed is None else open_benchmark(args.benchmark, args.dataset, listed),
        images=images,
        request=request,
        budget=Budget(len(args.settings)),
    )


def edge_space(space: SearchSpace, name: str) -> EdgeSpace:
    """Returns `space`, known to choose operations on edges.

    Raises:
        UsageError: it does not.
    """
    if not isinstance(space, EdgeSpace):
        raise UsageError(
            "A one-shot search needs a space of operations on edges with a trainable supernet, such as "
            f"nats-tss; got {name}."
        )
    return space


def reading_space(space: SearchSpace, name: str) -> EdgeSpace:
    """Returns `space`, known to be one of recurrent cells with a trainable supernet.

    Raises:
        UsageError: it is another.
    """
    if not isinstance(space, DartsRnn):
        raise UsageError(
            f"A one-shot search on a text needs the space darts-rnn, got {name}; give --space darts-rnn, or "
            "leave --task out."
        )
    return space


def run(args: OneShotArgs, console: Console, *, began: float | None = None) -> int:
    """Runs or resumes one-shot searches and returns the exit code.

    Args:
        args: from the command line.
        console: where the summary goes.
        began: `time.monotonic()` of the start of the process.

    Raises:
        UsageError: bad input.
    """
    began = time.monotonic() if began is None else began
    args = args.smoked() if args.smoke and args.resume is None else args
    return run_prepared(prepare_one_shot(args), console, began=began, after=show_methods)
