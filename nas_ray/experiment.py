"""One search from arguments to run folder: prepare, run on Ray Tune, report."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.errors import UsageError
from nas_ray.evaluate import ProxyScores
from nas_ray.modules.data import ImageDataModule
from nas_ray.plugins import resolve
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.resources import Request, check_request
from nas_ray.runs import fingerprint
from nas_ray.searchers import ArchSearcher, Fitness, parse_fitness
from nas_ray.spaces import SPACES, FiniteSpace, SearchSpace

DEFAULT_SAMPLES = 150


@dataclass(frozen=True)
class SearchArgs:
    """What every search experiment takes; equal arguments give equal searches."""

    dataset: str = "cifar10"
    """Dataset of the benchmark, which fixes classes and image size: cifar10, cifar100 or ImageNet16-120."""
    images: str = "auto"
    """Images of the minibatch: auto (the dataset's own if on disk, else digits), cifar10, cifar100,
    ImageNet16-120, digits, npz:PATH or folder:PATH."""
    download: bool = False
    """Allow torchvision to download CIFAR; nothing is downloaded otherwise."""
    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Scores to compute: built-in names or your own as module:function, separated by commas or spaces."""
    fitness: str | None = None
    """What is maximised: one score such as naswot, or rank_sum:naswot,synflow (default: the rank sum of all
    proxies)."""
    num_samples: int | None = None
    """Evaluations to make (default: 150, or no limit where a time budget is given)."""
    time_budget_s: float | None = None
    """Seconds of search after which no new evaluation starts."""
    batch_size: int = 64
    """Images in the minibatch."""
    seed: int = 0
    """Seed of the searcher."""
    init_seed: int = 0
    """Seed of the weights of every net."""
    batch_seed: int = 0
    """Seed that draws the minibatch."""
    space: str = "nats-tss"
    """Search space, or your own as module:class."""
    benchmark: str = "auto"
    """Source of the final accuracy: auto, nb201, nats, none, an official NATS-Bench directory, or a table in
    CSV or Parquet."""
    num_gpus: int | None = None
    """GPUs to use (default: all there are)."""
    gpus_per_trial: float | None = None
    """Share of a GPU for one trial, such as 0.25 for four at a time (default: 0.25 where there are GPUs)."""
    num_cpus: int | None = None
    """CPU cores to use (default: all there are)."""
    max_concurrent: int | None = None
    """Evaluations in flight (default: as many as fit)."""
    address: str | None = None
    """Ray cluster to join, such as auto or HOST:6379 (default: the variable RAY_ADDRESS, else this machine
    alone)."""
    out: Path | None = None
    """Run folder to make (default: runs/NAME-DATASET-TIME)."""
    resume: Path | None = None
    """Run folder to continue; its arguments are taken over, and only limits and resources may be changed."""
    smoke: bool = False
    """Run a handful of evaluations, to see that everything works."""
    verbose: bool = False
    """Show the messages of Ray and Lightning."""

    def smoked(self) -> SearchArgs:
        """Returns the same arguments with a tiny budget."""
        return dataclasses.replace(
            self, num_samples=min(self.num_samples or 6, 6), batch_size=min(self.batch_size, 16)
        )

    def searcher_options(self) -> dict[str, Any]:
        """Returns the keyword arguments of the searcher beside space, fitness and seed."""
        return {}


@dataclass(frozen=True)
class ReaArgs(SearchArgs):
    """Arguments of evolution."""

    population: int = 50
    """P, number of living members."""
    sample: int = 10
    """S, members drawn for one tournament."""

    def smoked(self) -> SearchArgs:
        """Returns the same arguments with a tiny budget, small enough for some evolution to happen."""
        population, sample = min(self.population, 3), min(self.sample, 2)
        return super(ReaArgs, dataclasses.replace(self, population=population, sample=sample)).smoked()

    def searcher_options(self) -> dict[str, Any]:
        """Returns population and sample."""
        return {"population": self.population, "sample": self.sample}


@dataclass(frozen=True)
class SkipReaArgs(ReaArgs):
    """Arguments of evolution inside a filter on skip connections."""

    min_skips: int = 0
    """Fewest skip_connect operations in a cell."""
    max_skips: int = 1
    """Most skip_connect operations in a cell."""

    def searcher_options(self) -> dict[str, Any]:
        """Returns population, sample and the bounds of the filter."""
        return {**super().searcher_options(), "min_skips": self.min_skips, "max_skips": self.max_skips}


@dataclass(frozen=True)
class Experiment:
    """Everything a search needs, checked; made by `prepare` before Ray starts."""

    name: str
    args: SearchArgs
    space: SearchSpace
    searcher: ArchSearcher
    fitness: Fitness
    scores: tuple[str, ...]
    evaluator: ProxyScores
    benchmark: Benchmark | None
    images: ImageDataModule
    request: Request
    num_samples: int | None

    def label(self, arch: str) -> str:
        """Returns a short name of `arch`: its index in a finite space."""
        return f"#{self.space.index(arch)}" if hasattr(self.space, "index") else arch

    @property
    def batch_fingerprint(self) -> str:
        """A hash of the minibatch."""
        return fingerprint(self.evaluator.inputs, self.evaluator.targets)


def prepare(name: str, args: SearchArgs, make_searcher: Callable[..., ArchSearcher]) -> Experiment:
    """Returns the experiment that `args` describe.

    Args:
        name: of the experiment, such as `rea`.
        args: from the command line.
        make_searcher: a searcher class, called with space, fitness, seed and `args.searcher_options()`.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    check_numbers(args)
    request = Request(args.num_cpus, args.num_gpus, args.gpus_per_trial, args.max_concurrent, args.address)
    check_request(request)
    space: SearchSpace = resolve("search space", args.space, SPACES, "nas_ray.spaces")()
    proxies = resolve_proxies([name for given in args.proxies for name in given.split(",") if name])
    scores = score_names(proxies)
    fitness = parse_fitness(args.fitness, scores)
    searcher = make_searcher(space, fitness=fitness, seed=args.seed, **args.searcher_options())
    images = ImageDataModule(
        args.images,
        dataset=args.dataset,
        batch_size=args.batch_size,
        batch_seed=args.batch_seed,
        download=args.download,
    )
    benchmark = open_benchmark(args.benchmark, args.dataset) if isinstance(space, FiniteSpace) else None
    inputs, targets = (tensor.numpy() for tensor in images.minibatch())
    evaluator = ProxyScores(space, images.num_classes, inputs, targets, proxies, init_seed=args.init_seed)
    no_limit = args.time_budget_s is not None
    num_samples = args.num_samples if args.num_samples or no_limit else DEFAULT_SAMPLES
    return Experiment(
        name,
        args,
        space,
        searcher,
        fitness,
        tuple(scores),
        evaluator,
        benchmark,
        images,
        request,
        num_samples,
    )


def check_numbers(args: SearchArgs) -> None:
    """Checks the numbers that nothing else checks.

    Raises:
        UsageError: one is out of range.
    """
    if args.num_samples is not None and args.num_samples < 1:
        raise UsageError(f"--num-samples must be at least 1, got {args.num_samples}.")
    if args.time_budget_s is not None and not (math.isfinite(args.time_budget_s) and args.time_budget_s > 0):
        raise UsageError(f"--time-budget-s must be a positive number of seconds, got {args.time_budget_s}.")
    for option in ("seed", "init_seed", "batch_seed"):
        if not 0 <= getattr(args, option) < 2**63:
            raise UsageError(
                f"--{option.replace('_', '-')} must be from 0 to 2^63 - 1, got {getattr(args, option)}."
            )


def introduce(experiment: Experiment, where: str, folder: Path, console: Console) -> None:
    """Prints one short paragraph: what runs where, on which images, with which accuracy."""
    args = experiment.args
    limits = [f"{experiment.num_samples} evaluations"] if experiment.num_samples else []
    limits += [f"{args.time_budget_s:g} s"] if args.time_budget_s else []
    describe = getattr(experiment.fitness, "names", None)
    fitness = (
        f"{type(experiment.fitness).__name__} of {' and '.join(describe)}" if describe else "own function"
    )
    accuracy = experiment.benchmark.acc_source if experiment.benchmark else "none (--benchmark none)"
    console.print(
        f"[bold]{experiment.name}[/] on {args.space} for {args.dataset}: at most {' or '.join(limits)}, "
        f"{where}. Scores: {', '.join(experiment.scores)} on {args.batch_size} images "
        f"({experiment.images.description}). "
        f"Fitness: {fitness}. Accuracy: {accuracy}. Run folder: {folder}",
        highlight=False,
        soft_wrap=not console.is_terminal,
    )
    if experiment.images.note:
        console.print(experiment.images.note, highlight=False, soft_wrap=not console.is_terminal)


def with_accuracy(rows: pd.DataFrame, benchmark: Benchmark | None) -> pd.DataFrame:
    """Returns `rows` with the benchmark's accuracy and, in `acc_source`, what that accuracy is."""
    if benchmark is None:
        return rows
    known = {arch: benchmark.test_acc(arch) for arch in rows["arch"].unique()}
    joined = rows.copy()
    joined[benchmark.acc_column] = joined["arch"].map(known)
    joined["acc_source"] = benchmark.acc_source
    return joined
