"""The arguments of searches in groups, for functions that need no more; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from nas_ray.terminal import ranges
from nas_ray.terminal.argument_groups import MinibatchArgs, ProxyArgs, ResourceArgs, SpaceArgs, TogetherArgs

DEFAULT: Final = "default"
"""The word for what `search/defaults.py` chooses, as a fitness and among proxies."""


@dataclass(frozen=True)
class StoppingArgs:
    """What ends trainings before their last epoch."""

    scheduler: str = "none"
    """What stops trainings early, comparing them by valid_acc: asha, hyperband, median or none."""
    grace_epochs: Annotated[int, ranges.EPOCHS] = 1
    """Epochs that asha and median leave every training."""
    reduction_factor: Annotated[float, ranges.Range(1.001, 10**6)] = 3.0
    """One training in so many goes on at each rung of asha and hyperband."""


@dataclass(frozen=True)
class CourseArgs:
    """What makes one run another than the next."""

    seed: Annotated[int, ranges.SEED] = 0
    """Seed of the searcher."""
    name: str | None = None
    """What reports call the run, such as baseline; None means by its folder and settings."""
    smoke: bool = False
    """Run a handful of evaluations, to see that everything works."""


@dataclass(frozen=True)
class SearcherArgs:
    """Which searcher, at its own defaults."""

    searcher: str = "random_search"
    """Searcher: random_search, rea, freerea, nsga2, predictor and others (docs/searchers.md), one of an
    installed package, or your own as module:class."""
    searcher_args: tuple[str, ...] = ()
    """Options of the searcher as name=value, such as population=20 mutation=node."""


@dataclass(frozen=True)
class JudgeArgs(ProxyArgs):
    """By what archs are judged."""

    proxies: tuple[str, ...] = (DEFAULT,)
    """Scores to compute: built-in names or your own as module:function, separated by commas or spaces;
    default means those that --fitness names, or else those of its default."""
    fitness: str | None = None
    """What is maximised: one score such as naswot, rank_sum:naswot,synflow, or default, which is
    log_rank_sum:logsynflow,skip on nats-tss, normalised_sum:naswot,logsynflow,skip there on images of your
    own, synflow on nats-sss, and rank_sum:naswot,synflow on all others (docs/default_fitness.md). None means
    default, but the rank sum of the proxies where --proxies names them, and valid_acc with --fidelity.
    mixed=0.5:synflow,valid_acc weighs standardised scores, mixed_ranks their ranks, mixed_raw the scores as
    they are."""
    fidelity: str | None = None
    """Train archs instead of only scoring them: epochs:4 (or another number), fast, nats-12 or nats-200,
    with changes as in nats-12:batch_size=128,cutout=8 (docs/training.md). The fitness is then valid_acc, and
    proxies are computed if --fitness names them. None means proxies alone."""


@dataclass(frozen=True)
class EstimateArgs(StoppingArgs, TogetherArgs, MinibatchArgs, JudgeArgs, SpaceArgs):
    """How archs are judged; `search.estimation.estimate` reads them."""

    own_weights: bool = False
    """Initialise every net by itself, from --init-seed, where the space has a supernet (nats-tss, nats-sss):
    slower, and other scores. Without it archs are scored on the weights of the supernet, one per trial or
    many, and --archs-per-trial changes no score."""
    max_latency_ms: Annotated[float | None, ranges.COST] = None
    """Most milliseconds of one image, measured where trials run; an arch above it is a failed evaluation."""
    max_memory_mib: Annotated[float | None, ranges.COST] = None
    """Most memory of one image in MiB, measured likewise."""


@dataclass(frozen=True)
class BudgetArgs:
    """How long is searched."""

    num_samples: Annotated[int | None, ranges.COUNT] = None
    """Evaluations to make; None means 300, or no limit where a time budget is given."""
    time_budget_s: Annotated[float | None, ranges.SECONDS] = None
    """Seconds of search, with the start of the workers (about 10), after which no new evaluation starts."""


@dataclass(frozen=True)
class TrialArgs(ResourceArgs):
    """What trials take, and where they run."""

    address: str | None = None
    """Ray cluster to join: auto, HOST:6379, or ray://HOST:10001 for Ray Client (docs/cluster.md); None means
    the variable RAY_ADDRESS, else this machine alone."""
    gpus_per_trial: Annotated[float | None, ranges.SHARES] = None
    """Share of a GPU for one trial, such as 0.25 for four at a time; None means 0.25 where there are GPUs."""
    max_concurrent: Annotated[int | None, ranges.SOME] = None
    """Trials in flight; None means as many as fit."""
    trial_timeout_s: Annotated[float | None, ranges.SECONDS] = None
    """Seconds that the evaluation of an arch may take before it is a failed row; None means no limit."""
    driver: str = "ray"
    """What runs the trials: ray, on all cores and GPUs or a cluster, or process: one after the other in this
    process, without Ray, which starts at once and suits a laptop or a small budget."""
