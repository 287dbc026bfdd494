"""The arguments of the experiments on stored scores; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tyro

from nas_ray.images.image_args import DataArgs
from nas_ray.reproduce.measures import TEST
from nas_ray.reproduce.published import SCORE_SECONDS
from nas_ray.terminal.argument_groups import (
    BatchArgs,
    BootstrapArgs,
    CostArgs,
    OutArgs,
    StoredScoreArgs,
    TogetherArgs,
)
from nas_ray.terminal.ranges import COUNT, HERE, RESAMPLES, SECONDS, SOME, Range


@dataclass(frozen=True)
class RunsArgs(OutArgs, BootstrapArgs, StoredScoreArgs):
    """On what data, and how often."""

    stem: ClassVar[str]
    """How the default folder begins."""

    benchmark: str = "auto"
    """Benchmark, as in the searches. Searches by 12-epoch accuracy need one that holds it: an official
    directory or a table of it, not the embedded table."""
    scores_file: tuple[Path, ...] = ()
    """Stored scores: a table with column arch and one per score, as score-space writes. Several tables are
    several initialisations, which the runs take in turn."""
    resamples: Annotated[int, Range(1, RESAMPLES)] = 2_000
    """Draws of the bootstrap."""
    out: Path | None = None
    """Folder of tables and pictures (default: runs/NAME-TIME)."""
    seeds: Annotated[int, Range(2, 10**6)] = 1_000
    """Runs of every row, with the seeds 0, 1, 2 and so on."""
    score_seconds: Annotated[float, SECONDS] = SCORE_SECONDS
    """Seconds charged for the stored scores of one arch, by the clock of --seconds and of FreeREA."""
    num_cpus: Annotated[int | None, HERE] = None
    """Processes to use (default: all cores); the results do not depend on it."""


@dataclass(frozen=True)
class ReproduceArgs(TogetherArgs, BatchArgs, DataArgs, RunsArgs):
    """Which table, on what data, and how often."""

    stem: ClassVar[str] = "reproduce"

    archs_per_trial: Annotated[int, SOME] = 1
    """Archs of one live trial, scored together, as in the searches."""
    table: tyro.conf.Positional[str] = ""
    """Table to run again, or all; --list shows them."""
    show_list: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Show the tables and end."""
    scores: Literal["stored", "live"] = "stored"
    """stored: scores are looked up in --scores-file. live: every run builds and scores nets in trials of Ray
    Tune, with weights and images of its own; finished runs in --out are not made again."""
    time_budget_s: Annotated[float, SECONDS] = 3_600.0
    """Seconds for live runs: the rows of a table share them, and each makes at least two runs."""


@dataclass(frozen=True)
class SearchedArgs(RunsArgs):
    """Which searchers, what they maximise, what they may spend, and what is reported."""

    searchers: tyro.conf.Positional[tuple[str, ...]] = ("rea", "local_search")
    """Searchers, each with its options behind commas, such as rea,population=20,sample=5; or your own as
    module:class. Random search is always among them."""
    by: str | None = None
    """What the searches maximise: valid_acc_12 or valid_acc_200 (validation accuracy after so many epochs), a
    stored score such as naswot, several as rank_sum:naswot,synflow, both as mixed=0.5:naswot,valid_acc_12, or
    freerea. None means valid_acc_12, or valid_acc_200 where the benchmark holds no other, as the embedded
    table."""
    evaluations: Annotated[int | None, COUNT] = None
    """Evaluations of a run (default: 200, or no limit with --seconds)."""
    seconds: Annotated[float | None, SECONDS] = None
    """Simulated seconds of a run, after which no evaluation starts."""
    searched_on: str | None = None
    """Dataset whose accuracy all searches maximise (default: each dataset by its own)."""
    measure: str = TEST
    """What is reported: test_acc, after the full schedule, or valid_acc_12 or valid_acc_200."""


@dataclass(frozen=True)
class CompareArgs(CostArgs, SearchedArgs):
    """Which searchers, on what, and how often."""

    stem: ClassVar[str] = "compare"

    workers: Annotated[int, SOME] = 1
    """Evaluations in flight; rows arrive in the order in which they are finished."""
    against: str = "random_search"
    """The searcher that all others are tested against, as written among the searchers."""
    objectives: str | None = None
    """Several things that the searches maximise at once, separated by commas, a minus in front of what is to
    be small, such as accuracy,-latency:pixel2: accuracy is what --by names, others are costs of --costs or
    stored scores. Searches are then judged by the true front of the table; one that maximises a single
    fitness is given
    random weights."""


@dataclass(frozen=True)
class ChooseArgs(OutArgs, StoredScoreArgs):
    """Which scores, and where accuracy comes from."""

    scores_file: tuple[Path, ...] = ()
    """Stored scores of the whole space, as score-space writes them; one table per initialisation."""
    out: Path | None = None
    """Folder of the table of choices (default: runs/choose-TIME)."""
    scores: tuple[str, ...] = ("naswot", "synflow", "logsynflow")
    """Their columns; params, num_conv and skip come from the archs."""
    top: Annotated[int, SOME] = 10
    """Choices to show."""
    for_searches: bool = False
    """Choose what searches maximise by default: by what rea finds with each score on one half of the archs,
    judged on the other half, on all archs and on all datasets (docs/default_fitness.md)."""
    seeds: Annotated[int, Range(2, 10**6)] = 50
    """With --for-searches, searches of each score that is judged."""
    for_ranks: bool = False
    """Choose how all archs are ranked: by the correlation of sums of scores with validation accuracy on one
    half of the archs; the rule is written as rule.json, which record judges (docs/record.md). live_ops and
    clear_paths come from the archs as well."""
    space: str = "nats-tss"
    """With --for-ranks, the space: nats-tss, or nats-sss, whose widths are weighed on half of the archs of
    the table given as --benchmark, which may be a part of the space."""
