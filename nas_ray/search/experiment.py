"""From the arguments of a command to the experiment that they describe, and what is said of it."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from nas_ray.benchmarks import open_benchmark
from nas_ray.drivers.plan import Budget, Plan
from nas_ray.drivers.resources import Request, check_request
from nas_ray.evaluation.base import Described, SeesImages
from nas_ray.evaluation.on_images import limited_on
from nas_ray.images.identity import IMAGES
from nas_ray.runs.folder import fingerprint, method_of
from nas_ray.search.arguments import RunnableArgs, SearchArgs
from nas_ray.search.base import MINIBATCH, Experiment
from nas_ray.search.defaults import default_of, said_out
from nas_ray.search.estimation import SUPERNET, TRAINED, estimate, scheduler_of, weights_of
from nas_ray.search.objectives import (
    check_costs_small,
    check_objectives,
    named_objectives,
    search_costs,
    with_objectives,
)
from nas_ray.search.requests import request_for
from nas_ray.search.start_from import start_from
from nas_ray.search.texts import said_of_text
from nas_ray.searchers import ArchSearcher
from nas_ray.searchers.named import kind_of, make_searcher
from nas_ray.searchers.pareto import objectives_of
from nas_ray.spaces import FiniteSpace, HandDesigned, Product, SearchSpace
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.named import make_space
from nas_ray.spaces.one_arch import OneArch
from nas_ray.spaces.product import arch_space
from nas_ray.spaces.settings import recipe_of, written
from nas_ray.terminal.console import say
from nas_ray.terminal.ranges import check_ranges
from nas_ray.training.reads_text import check_reads_text
from nas_ray.training.task_args import Subject, check_reads, is_text, open_subject
from nas_ray.training.text_task import TextTask

DEFAULT_SAMPLES = 300


@dataclass(frozen=True, kw_only=True)
class Runnable(Experiment, ABC):
    """The experiment of a command, checked before Ray starts; `session.run_prepared` runs it."""

    args: RunnableArgs
    images: Subject
    request: Request
    started_from: str = ""

    @property
    def num_samples(self) -> int | None:
        """Evaluations to make; None where only time limits the search."""
        return self.budget.num_samples

    @property
    def seen(self) -> dict[str, str]:
        """Hashes of minibatch and images."""
        return {MINIBATCH: self.batch_fingerprint, IMAGES: self.images.sha256}

    @property
    def source(self) -> str:
        """Where the images come from."""
        return self.images.source

    @property
    def batch_fingerprint(self) -> str:
        """A hash of the minibatch, or of which images are trained on; `images.sha256` is of their pixels."""
        if isinstance(self.evaluator, SeesImages):
            return self.evaluator.earlier_fingerprint
        return fingerprint(*(tensor.numpy() for tensor in self.images.minibatch()))

    @property
    @abstractmethod
    def about(self) -> list[str]:
        """The first lines of the introduction: what runs, and how archs are judged."""

    def planned(self, plan: Plan) -> Plan:
        """Returns `plan` with what the arguments say of trials."""
        return dataclasses.replace(plan, trial_timeout_s=self.args.trial_timeout_s)


@dataclass(frozen=True, kw_only=True)
class Prepared(Runnable):
    """A search that asks for one arch after the other; made by `prepare`."""

    args: SearchArgs

    @property
    def about(self) -> list[str]:
        """The first lines of the introduction."""
        args = self.args
        limits = [f"{self.num_samples} evaluations"] if self.num_samples else []
        limits += [f"{args.time_budget_s:g} s"] if args.time_budget_s else []
        archs = arch_space(self.space)
        searched = recipe_of(archs.arch) if isinstance(archs, OneArch) else args.space
        what = f"{method_of(self.name, vars(args))} on {searched} for {args.dataset}"
        return [f"{what}: at most {' or '.join(limits)}", *judged(self)]

    def planned(self, plan: Plan) -> Plan:
        """Returns `plan` with what the arguments say of trials."""
        args = self.args
        scheduler = scheduler_of(args)
        return dataclasses.replace(
            super().planned(plan), archs_per_trial=args.archs_per_trial, scheduler=scheduler
        )


def prepare(
    name: str,
    args: SearchArgs,
    searcher: str | Callable[..., ArchSearcher],
    space: SearchSpace | None = None,
) -> Prepared:
    """Returns the experiment that `args` describe.

    Args:
        name: of the experiment, such as `rea`.
        args: from the command line.
        searcher: a searcher class or its name, called with space, fitness, seed and the options of `args`.
        space: what is searched; None for the one that `args` name.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    check_ranges(args)
    request = request_for(args)
    check_request(request)
    if space is None:
        check_reads(args.task, args.space)
        space = make_space(args.space)
    args = said_of_text(args)
    images = open_subject(args, batch_size=args.batch_size, batch_seed=args.batch_seed)
    if isinstance(images, TextTask):
        check_reads_text(space, images, args.space)
    else:
        space = fitted_space(space, images.image_size)
    args = said_out(args, space)
    given: tuple[str, ...] = getattr(args, "searcher_args", ())
    texts = with_objectives(given, getattr(args, "objectives", None), kind_of(searcher), str(searcher))
    looked_at = named_objectives(texts)
    estimation = estimate(args, space, images, also=looked_at)
    searched = limited_on(images, space, args.max_params, args.max_flops)
    archs = arch_space(space_of_found(space))
    listed = archs if isinstance(archs, FiniteSpace) and not isinstance(archs, HandDesigned) else None
    listed = None if is_text(args) else listed
    costs = search_costs(getattr(args, "costs", ()), looked_at, estimation.scores, listed)
    benchmark = None if listed is None else open_benchmark(args.benchmark, args.dataset, listed)
    no_limit = args.time_budget_s is not None
    num_samples = args.num_samples if args.num_samples or no_limit else DEFAULT_SAMPLES
    options = {"fitness": estimation.fitness, "seed": args.seed, **args.searcher_options()}
    made = make_searcher(searcher, searched, texts=texts, **options)
    if costs is not None:
        made.know(costs)
        check_costs_small(objectives_of(made.objectives), costs)
    check_objectives(objectives_of(made.objectives), (*estimation.scores, *(costs.columns if costs else ())))
    prepared = Prepared(
        name=name,
        args=args,
        space=space,
        searcher=made,
        scores=estimation.scores,
        evaluator=estimation.evaluator,
        benchmark=benchmark,
        images=images,
        request=request,
        budget=Budget(num_samples, args.time_budget_s),
    )
    if args.start_from is None or args.resume is not None:  # whose journal has the rows
        return prepared
    return dataclasses.replace(
        prepared, started_from=start_from(made, args, prepared.seen, weights_of(prepared.evaluator))
    )


def introduce(
    experiment: Runnable, where: str, place: str | Path, console: Console, further: Sequence[str] = ()
) -> None:
    """Prints one short paragraph: what runs where, on which images, which accuracy, and further lines."""
    first, *judged_by = experiment.about
    accuracy = experiment.benchmark.acc_source if experiment.benchmark else "none, no benchmark knows it"
    lines = [
        f"{first}, {where}",
        *judged_by,
        f"{'text  ' if is_text(experiment.args) else 'images'}     {experiment.images.description}",
        *([f"start      {experiment.started_from}"] if experiment.started_from else []),
        f"accuracy   {accuracy}",
        *further,
        f"folder     {place}",
    ]
    say(console, "\n".join(lines))
    for line in experiment.images.skipped:
        say(console, f"skipped    {line}")
    if experiment.images.note:
        say(console, experiment.images.note, wrapped=console.is_terminal)


def judged(experiment: Prepared) -> list[str]:
    """Returns the lines that say how an arch is judged."""
    args, evaluator = experiment.args, experiment.evaluator
    of = [name for name in experiment.scores if name not in TRAINED]
    what = "sequences" if is_text(args) else "images"
    default = default_of(experiment.space, args)
    known = f" (the default for {default.where})" if args.fitness == default.fitness else ""
    others = [name for name in of if name not in getattr(experiment.fitness, "names", ())]
    beside = f"; scored as well: {', '.join(others)}" if others else ""
    lines = [f"fitness    {experiment.fitness}{known}, on {args.batch_size} {what}{beside}"]
    if args.fidelity and isinstance(evaluator, Described):
        early = f", stopped early by {args.scheduler}" if args.scheduler != "none" else ""
        lines = lines if of else [f"fitness    {experiment.fitness}"]
        lines.append(f"fidelity   {args.fidelity}: {evaluator.described()}{early}")
    if isinstance(archs := arch_space(experiment.space), OneArch):
        lines.append(f"arch       {archs.arch}")
    if isinstance(experiment.space, Product):
        who = "each trial trains by them" if args.fidelity else "without --fidelity nothing depends on them"
        lines.append(f"settings   {written(experiment.space.settings)}: {who}; a benchmark knows archs alone")
    shared, many = weights_of(evaluator) == SUPERNET, args.archs_per_trial > 1
    if shared or many:
        together = f", up to {args.archs_per_trial} archs per trial" if many else ""
        lines.append(f"weights    of one supernet{together}")
    return lines
