"""One search from arguments to run folder: prepare, run on Ray Tune, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.drivers.resources import Request, check_request
from nas_ray.evaluation.limits import limited
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_args import open_image_args
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies.measured import MEASURED
from nas_ray.proxies.plugin import score_names
from nas_ray.runs.folder import fingerprint
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.estimation import (
    VALID_ACC,
    SearchEvaluator,
    check_batched,
    check_fidelity,
    check_scores,
    make_evaluator,
    make_fitness,
    uses,
    wanted_proxies,
)
from nas_ray.searchers import ArchSearcher, Fitness
from nas_ray.searchers.named import make_searcher
from nas_ray.spaces import FiniteSpace, HandDesigned, Product, SearchSpace, arch_of
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.named import make_space
from nas_ray.spaces.product import arch_space
from nas_ray.spaces.settings import written
from nas_ray.terminal.console import say
from nas_ray.terminal.ranges import check_ranges

DEFAULT_SAMPLES = 150


@dataclass(frozen=True)
class Experiment:
    """Everything a search needs, checked; made by `prepare` before Ray starts."""

    name: str
    args: SearchArgs
    space: SearchSpace
    searcher: ArchSearcher
    fitness: Fitness
    scores: tuple[str, ...]
    evaluator: SearchEvaluator
    benchmark: Benchmark | None
    images: ImageDataModule
    request: Request
    num_samples: int | None

    def label(self, arch: str) -> str:
        """Returns a short name of `arch`: its index in a finite space, with the settings of a point."""
        index = self.index(arch)
        of_arch = arch_of(arch) if isinstance(self.space, Product) else arch
        return arch if index is None else f"#{index}{arch.removeprefix(of_arch)}"

    def index(self, arch: str) -> int | None:
        """Returns the index of `arch`, where its space numbers its archs."""
        space = self.final_space
        numbered = hasattr(space, "index") and (space is self.space or arch in cast(FiniteSpace, space))
        return int(cast(Any, space).index(arch)) if numbered else None

    @property
    def final_space(self) -> SearchSpace:
        """The space of what is found: another than `space` where that one has settings of a method."""
        return space_of_found(self.space)

    @property
    def batch_fingerprint(self) -> str:
        """A hash of the minibatch, or of which images are trained on; `images.sha256` is of their pixels."""
        if isinstance(self.evaluator, ShortTraining):
            return self.evaluator.earlier_fingerprint
        return fingerprint(self.evaluator.inputs, self.evaluator.targets)


def prepare(name: str, args: SearchArgs, searcher: str | Callable[..., ArchSearcher]) -> Experiment:
    """Returns the experiment that `args` describe.

    Args:
        name: of the experiment, such as `rea`.
        args: from the command line.
        searcher: a searcher class or its name, called with space, fitness, seed and the options of `args`.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    check_ranges(args)
    request = Request(
        args.num_cpus,
        args.num_gpus,
        args.gpus_per_trial,
        args.max_concurrent,
        args.address,
        wait_for_gpus=args.wait_for_gpus,
        client=True,
    )
    check_request(request)
    space = make_space(args.space)
    check_fidelity(args)
    proxies = wanted_proxies(args)
    fitness = make_fitness(args, score_names(proxies))
    if args.fidelity:
        proxies = {name: proxy for name, proxy in proxies.items() if name in MEASURED or uses(fitness, name)}
    scores = [*score_names(proxies), *([VALID_ACC] if args.fidelity else [])]
    images = open_image_args(args, batch_size=args.batch_size, batch_seed=args.batch_seed)
    check_scores(fitness, proxies, images)
    space = fitted_space(space, images.image_size)
    if args.archs_per_trial > 1:
        check_batched(args, space, proxies)
    archs = arch_space(space_of_found(space))
    listed = archs if isinstance(archs, FiniteSpace) and not isinstance(archs, HandDesigned) else None
    benchmark = None if listed is None else open_benchmark(args.benchmark, args.dataset, listed)
    no_limit = args.time_budget_s is not None
    num_samples = args.num_samples if args.num_samples or no_limit else DEFAULT_SAMPLES
    return Experiment(
        name=name,
        args=args,
        space=space,
        searcher=make_searcher(
            searcher,
            limited_space(args, space, images),
            texts=getattr(args, "searcher_args", ()),
            fitness=fitness,
            seed=args.seed,
            **args.searcher_options(),
        ),
        fitness=fitness,
        scores=tuple(scores),
        evaluator=make_evaluator(args, space, proxies, images),
        benchmark=benchmark,
        images=images,
        request=request,
        num_samples=num_samples,
    )


def limited_space(args: SearchArgs, space: SearchSpace, images: ImageDataModule) -> SearchSpace:
    """Returns the archs of `space` within the limits that `args` give.

    Raises:
        UsageError: a limit is not positive, or no arch keeps it.
    """
    if args.max_params is None and args.max_flops is None:
        return space
    limits = {"max_params": args.max_params, "max_flops": args.max_flops}
    image = (3, images.image_size, images.image_size)
    return limited(space, **limits, num_classes=images.num_classes, image=image)


def introduce(experiment: Experiment, where: str, place: str | Path, console: Console) -> None:
    """Prints one short paragraph: what runs where, on which images, with which accuracy."""
    args = experiment.args
    limits = [f"{experiment.num_samples} evaluations"] if experiment.num_samples else []
    limits += [f"{args.time_budget_s:g} s"] if args.time_budget_s else []
    accuracy = experiment.benchmark.acc_source if experiment.benchmark else "none, no benchmark knows it"
    lines = [
        f"{experiment.name} on {args.space} for {args.dataset}: at most {' or '.join(limits)}, {where}",
        *estimation(experiment),
        f"images     {experiment.images.description}",
        f"accuracy   {accuracy}",
        f"folder     {place}",
    ]
    say(console, "\n".join(lines))
    for line in experiment.images.skipped:
        say(console, f"skipped    {line}")
    if experiment.images.note:
        say(console, experiment.images.note, wrapped=console.is_terminal)


def estimation(experiment: Experiment) -> list[str]:
    """Returns the lines that say how an arch is judged."""
    args, training = experiment.args, experiment.evaluator
    of = [name for name in experiment.scores if name != VALID_ACC]
    lines = [f"fitness    {experiment.fitness}, from {', '.join(of)} on {args.batch_size} images"]
    if isinstance(training, ShortTraining):
        early = f", stopped early by {args.scheduler}" if args.scheduler != "none" else ""
        counts = f"{len(training.train_indices)} images, {len(training.valid_indices)} held out"
        lines = lines if of else [f"fitness    {experiment.fitness}"]
        lines.append(f"fidelity   {args.fidelity}: {training.until} epochs on {counts}{early}")
    if isinstance(experiment.space, Product):
        who = "each trial trains by them" if args.fidelity else "without --fidelity nothing depends on them"
        lines.append(f"settings   {written(experiment.space.settings)}: {who}; a benchmark knows archs alone")
    if args.archs_per_trial > 1:
        lines.append(f"weights    of one supernet, up to {args.archs_per_trial} archs per trial")
    return lines
