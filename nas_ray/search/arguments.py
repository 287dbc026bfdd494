"""The arguments of the search experiments and how they are read; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from nas_ray.benchmarks.cost_names import absolute_costs
from nas_ray.benchmarks.names import NAMES
from nas_ray.errors import UsageError, printable
from nas_ray.images.image_args import absolute_images
from nas_ray.process.started import started
from nas_ray.runs.folder import read_run
from nas_ray.runs.mirror import run_to_resume
from nas_ray.runs.stored_args import stored_args
from nas_ray.search.argument_groups import BudgetArgs, CourseArgs, EstimateArgs, SearcherArgs, TrialArgs
from nas_ray.terminal import ranges
from nas_ray.terminal.argument_groups import BenchmarkArgs, CostArgs, LimitArgs, RunArgs
from nas_ray.terminal.command_line import check_path, read_args
from nas_ray.training.task_args import TaskArgs, absolute_task

CHANGEABLE = {
    *("num_samples", "time_budget_s", "num_gpus", "gpus_per_trial", "num_cpus", "max_concurrent", "address"),
    *("resume", "verbose", "benchmark", "trial_timeout_s", "wait_for_gpus", "driver"),
}
"""What a resumed run may change: limits, resources and the report, nothing that changes the search itself."""
THIS_MACHINE = (None, "auto", "local")
"""Addresses that name no cluster elsewhere."""


@dataclass(frozen=True)
class RunnableArgs(CourseArgs, RunArgs, TrialArgs, BenchmarkArgs, TaskArgs):
    """What every experiment takes that runs trials and can be resumed; equal arguments give equal runs."""

    def smoked(self) -> RunnableArgs:
        """Returns the same arguments with a tiny budget."""
        return self


@dataclass(frozen=True)
class SearchArgs(RunnableArgs, BudgetArgs, LimitArgs, EstimateArgs):
    """What every search takes that asks for one arch after the other."""

    start_from: str | None = None
    """Run folder or table (CSV, Parquet) whose rows this search is told first, for nothing: archs of its
    space with all scores that it looks at. What does not fit is said."""

    def smoked(self) -> SearchArgs:
        """Returns the same arguments with a tiny budget."""
        return dataclasses.replace(
            self, num_samples=min(self.num_samples or 6, 6), batch_size=min(self.batch_size, 16)
        )

    def searcher_options(self) -> dict[str, Any]:
        """Returns the keyword arguments of the searcher beside space, fitness and seed: what others lack."""
        every = {field.name for field in dataclasses.fields(SearchArgs)}
        own = (field.name for field in dataclasses.fields(self) if field.name not in every)
        return {name: getattr(self, name) for name in own}


@dataclass(frozen=True)
class ReaArgs(SearchArgs):
    """Arguments of evolution."""

    population: Annotated[int, ranges.SOME] = 50
    """P, number of living members."""
    sample: Annotated[int, ranges.SOME] = 10
    """S, members drawn for one tournament."""
    mutation: str = "uniform"
    """uniform over the neighbours of a parent, or node: first a node, then one of its edges, as published by
    NATS-Bench."""
    replacement: bool = True
    """Whether a tournament draws with replacement, so that it may hold a member twice."""
    ageing: bool = True
    """Whether the oldest member dies, as in the paper; without ageing the worst does."""

    def smoked(self) -> SearchArgs:
        """Returns the same arguments with a tiny budget, small enough for some evolution to happen."""
        population, sample = min(self.population, 3), min(self.sample, 2)
        return super(ReaArgs, dataclasses.replace(self, population=population, sample=sample)).smoked()


@dataclass(frozen=True)
class SkipReaArgs(ReaArgs):
    """Arguments of evolution inside a filter on skip connections."""

    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Scores to compute: built-in names or your own as module:function, separated by commas or spaces. Those
    of the published experiment, where the default of the other searches would reward skips."""
    rule: str = "described"
    """What the filter means: described (at the start and after every mutation), naswot_code, synflow_code,
    july_2022 or at_least_one (docs/searchers.md)."""
    min_skips: Annotated[int, ranges.SKIPS] = 0
    """Fewest skip_connect operations in a cell."""
    max_skips: Annotated[int, ranges.SKIPS] = 1
    """Most skip_connect operations in a cell."""


@dataclass(frozen=True)
class AnySearchArgs(SearcherArgs, CostArgs, SearchArgs):
    """Arguments of a search with any searcher, at its own defaults."""

    def searcher_options(self) -> dict[str, Any]:
        """Returns nothing: `searcher_args` are read where the searcher is made."""
        return {}


A = TypeVar("A", bound=RunnableArgs)


def parse(args_type: type[A], name: str, description: str, argv: Sequence[str] | None = None) -> A:
    """Returns the command line's arguments; with `--resume`, those of that run and what was given on top.

    Raises:
        UsageError: the run is of another experiment, an argument was given that it cannot change, or its
            cluster was not named again.
    """
    argv = list(started().arguments if argv is None else argv)
    place = _resumed_place(argv)
    if place is None:
        return absolute(read_args(args_type, description, argv))
    check_path("--resume", place)
    folder = run_to_resume(place)
    info = read_run(folder)
    if info.get("experiment") != name:
        made = printable([info.get("experiment")])[0]
        how = started()
        raise UsageError(
            f"{place} is a run of {how.called(made)}; resume it with that {how.kind}, not {how.called(name)}."
        )
    kept = info.get("args")
    kept = _of_before(kept) if issubclass(args_type, SearchArgs) else kept
    stored = _without_cluster(stored_args(args_type, kept, folder, CHANGEABLE), place, argv)
    given = absolute(read_args(args_type, description, argv, stored))
    for field in dataclasses.fields(stored):
        before, now = getattr(stored, field.name), getattr(given, field.name)
        if field.name not in CHANGEABLE and before != now:
            option = field.name.replace("_", "-")
            raise UsageError(
                f"The run {place} was made with --{option} {before} and cannot go on with {now}; "
                f"leave --{option} out, or start a new run."
            )
    return dataclasses.replace(given, resume=place)


def _of_before(kept: Any) -> Any:
    """Returns the arguments of a run with what an earlier version meant where it said nothing.

    That had no choice of weights, and made 150 evaluations.
    """
    if not isinstance(kept, dict) or "own_weights" in kept:
        return kept
    meant = {**kept, "own_weights": kept.get("archs_per_trial", 1) == 1}
    unsaid = "num_samples" in kept and kept["num_samples"] is None and kept.get("time_budget_s") is None
    return {**meant, "num_samples": 150} if unsaid else meant


def _resumed_place(argv: list[str]) -> str | None:
    for number, word in enumerate(argv):
        if word == "--resume" and number + 1 < len(argv):
            return argv[number + 1]
        if word.startswith("--resume="):
            return word.removeprefix("--resume=")
    return None


def _without_cluster(stored: A, place: str, argv: Sequence[str]) -> A:
    """Returns the arguments of a run without its cluster, which could run code of its own here.

    Raises:
        UsageError: the run has a cluster, and none was asked for.
    """
    if stored.address in THIS_MACHINE:
        return stored
    given = any(word.partition("=")[0] == "--address" for word in argv)
    if not given and not os.environ.get("RAY_ADDRESS"):
        shown = printable([stored.address])[0]
        raise UsageError(
            f"A cluster is joined only if you name it, and the run {place} was on {shown}; add --address "
            f"{shown} if you trust it, or --address local for this machine alone."
        )
    return dataclasses.replace(stored, address=None)


def absolute(args: A) -> A:
    """Returns `args` with absolute paths, so that a run can be resumed from another working directory."""
    benchmark = os.path.expanduser(args.benchmark)
    named = benchmark in NAMES or not os.path.exists(benchmark)
    benchmark = args.benchmark if named else os.path.abspath(benchmark)
    changes: dict[str, Any] = {"images": absolute_images(args.images), "benchmark": benchmark}
    changes["task"] = absolute_task(args.task)
    if costs := getattr(args, "costs", ()):
        changes["costs"] = absolute_costs(costs)
    if start := getattr(args, "start_from", None):
        changes["start_from"] = os.path.abspath(os.path.expanduser(start))
    return dataclasses.replace(args, **changes)
