"""How a search judges archs: what is computed, what is maximised, and what turns an arch into a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas_ray.drivers.plan import PROCESS, RAY
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import Evaluator, in_forms, placed
from nas_ray.evaluation.movable import CHECKPOINTS, MovableTraining
from nas_ray.evaluation.on_images import scores_on, training_on
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import Proxy
from nas_ray.proxies.measured import MEASURED
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.proxies.undefined import check_defined
from nas_ray.rows import TRAINED, VALID_ACC, VALID_NATS
from nas_ray.runs.folder import read_run
from nas_ray.search.argument_groups import EstimateArgs, StoppingArgs
from nas_ray.search.defaults import said_out
from nas_ray.search.together import check_together
from nas_ray.searchers import Fitness, parse_fitness
from nas_ray.searchers.fitness import by_training
from nas_ray.shared_weights.supernet_scores import SupernetScores
from nas_ray.shared_weights.together import has_supernet, on_supernet, together
from nas_ray.spaces import SearchSpace
from nas_ray.terminal.lists import parted
from nas_ray.training.recipes import Recipe, parse_recipe
from nas_ray.training.stopping import check_scheduler
from nas_ray.training.text_task import TextTask

if TYPE_CHECKING:
    from nas_ray.drivers.scheduling import TrialScheduler

__all__ = [
    "CHECKPOINTS",
    "TRAINED",
    "VALID_ACC",
    "VALID_NATS",
    "Estimation",
    "estimate",
    "in_run",
    "scheduler_of",
    "weights_of",
]

OWN, SUPERNET = "own", "supernet"
"""Whose weights scores are of, as `run.json` says under `weights`: each net's own, or one net's for all."""


@dataclass(frozen=True)
class Estimation:
    """How archs are judged.

    Attributes:
        proxies: what is computed of every arch, by column; none where archs are only trained.
        scores: the columns of rows that a fitness may take, `valid_acc` among them where archs are trained.
        fitness: what is maximised.
        evaluator: what turns an arch into a row; it knows neither device nor folder (`in_run`).
    """

    proxies: Mapping[str, Proxy]
    scores: tuple[str, ...]
    fitness: Fitness
    evaluator: Evaluator


def estimate(
    args: EstimateArgs, space: SearchSpace, images: ImageDataModule | TextTask, also: Sequence[str] = ()
) -> Estimation:
    """Returns how the archs of `space` are judged on `images`, all of it checked.

    Args:
        args: from the command line.
        space: of the search.
        images: to judge on.
        also: columns that are looked at beside the fitness, such as further objectives.

    Raises:
        UsageError: unknown or broken proxies, a fitness, recipe or scheduler that is none, a limit that is
            not positive, options that exclude each other, archs that cannot be scored together, or images
            that cannot be scored on, such as copies of one.
    """
    args = said_out(args, space)
    limits = measured_limits(args)
    recipe = _recipe(args)
    names = parted(args.proxies)
    proxies = resolve_proxies([*names, *(name for name in limits if name not in names)])
    scores = score_names(proxies)
    trained = VALID_NATS if isinstance(images, TextTask) else VALID_ACC
    fitness = _fitness(args, scores, trained)
    needed = [name for name in proxies if hasattr(fitness, "names") and _uses(fitness, name)]
    if recipe:  # what nothing asks for is not computed
        looked_at = {*MEASURED, *also}
        proxies = {name: proxies[name] for name in proxies if name in looked_at or _uses(fitness, name)}
        scores = [*score_names(proxies), trained]
    if needed and not isinstance(images, TextTask):  # without these all archs would be equally bad
        check_defined({name: proxies[name] for name in needed}, images.minibatch()[1], images.num_classes)
    return Estimation(
        proxies, tuple(scores), fitness, _evaluator(args, space, images, proxies, limits, recipe)
    )


def weights_of(evaluator: Evaluator) -> str | None:
    """Returns whose weights the scores are of, `own` or `supernet`; None where there are no known scores."""
    scores = getattr(evaluator, "scores", None) if isinstance(evaluator, MovableTraining) else evaluator
    known = OWN if isinstance(scores, ProxyScores) else None
    return SUPERNET if isinstance(scores, SupernetScores) else known


def in_run(evaluator: Evaluator, accelerator: str, folder: Path) -> Evaluator:
    """Returns `evaluator` for a device and a run folder, with proxies in the forms that this run began with.

    Args:
        evaluator: as `estimate` returns it.
        accelerator: `cpu` or `gpu`.
        folder: has a `run.json`, which names the forms; unfinished trainings go there.
    """
    return placed(in_forms(evaluator, read_run(folder).get("forms")), accelerator, folder)


def scheduler_of(args: EstimateArgs) -> Callable[[], TrialScheduler | None] | None:
    """Returns what makes the scheduler of Ray Tune; None where nothing is stopped early."""
    return None if args.fidelity is None else stopping(args, parse_recipe(args.fidelity).epochs)


def stopping(args: StoppingArgs, epochs: int) -> Callable[[], TrialScheduler | None] | None:
    """Returns what makes the scheduler of Ray Tune for trainings of `epochs` epochs; None for none."""
    if args.scheduler == "none":
        return None

    def make() -> TrialScheduler | None:
        from nas_ray.drivers.scheduling import make_scheduler  # Ray takes seconds

        grace, factor = args.grace_epochs, args.reduction_factor
        return make_scheduler(args.scheduler, epochs=epochs, grace_epochs=grace, reduction_factor=factor)

    return make


def measured_limits(args: EstimateArgs) -> dict[str, float]:
    """Returns the limits on measured costs by column.

    Raises:
        UsageError: one is not positive.
    """
    given = {"latency_ms": args.max_latency_ms, "peak_memory_mib": args.max_memory_mib}
    for name, limit in given.items():
        if limit is not None and not 0 < limit < math.inf:
            option = "--max-latency-ms" if name == "latency_ms" else "--max-memory-mib"
            raise UsageError(f"{option} must be larger than 0, got {limit}.")
    return {name: limit for name, limit in given.items() if limit is not None}


def _recipe(args: EstimateArgs) -> Recipe | None:
    """Returns how archs are trained, None where they are not.

    Raises:
        UsageError: options that need --fidelity or exclude it, or a recipe or scheduler that is none.
    """
    if args.fidelity is None:
        if args.scheduler != "none":
            raise UsageError(
                f"--scheduler {args.scheduler} stops trainings early and needs --fidelity, such as epochs:4."
            )
        return None
    if args.archs_per_trial > 1:
        raise UsageError(
            f"--archs-per-trial {args.archs_per_trial} scores archs together and cannot train them; leave it "
            "out with --fidelity."
        )
    recipe = parse_recipe(args.fidelity)
    grace, factor = args.grace_epochs, args.reduction_factor
    check_scheduler(args.scheduler, epochs=recipe.epochs, grace_epochs=grace, reduction_factor=factor)
    if args.scheduler != "none" and getattr(args, "driver", RAY) == PROCESS:
        raise UsageError(
            f"--scheduler {args.scheduler} is one of Ray Tune and needs --driver ray; leave one of them out."
        )
    return recipe


def _fitness(args: EstimateArgs, columns: Sequence[str], trained: str) -> Fitness:
    """Returns what the search maximises; without being asked, that is no measured cost.

    Raises:
        UsageError: unknown kind or score, or nothing but costs is computed, and nothing says what to make of
            them.
    """
    if args.fitness is not None:
        return parse_fitness(args.fitness, [*columns, trained] if args.fidelity else columns)
    if args.fidelity is not None:
        return by_training(trained)
    scores = [name for name in columns if name not in MEASURED]
    if not scores:
        raise UsageError(
            f"A search needs a score to maximise, but {', '.join(columns)} are costs; add a proxy to "
            "--proxies."
        )
    return parse_fitness(None, scores)


def _uses(fitness: Fitness, proxy: str) -> bool:
    """Returns whether `fitness` looks at a column of `proxy`; one that does not say so looks at all."""
    names = getattr(fitness, "names", (proxy,))
    return any(name == proxy or name.startswith(f"{proxy}.") for name in names)


def _evaluator(
    args: EstimateArgs,
    space: SearchSpace,
    images: ImageDataModule | TextTask,
    proxies: Mapping[str, Proxy],
    limits: Mapping[str, float],
    recipe: Recipe | None,
) -> Evaluator:
    """Returns what turns an arch into a row: scores of one net or of several at once, a training, or both.

    Raises:
        UsageError: several cannot be scored at once, or images that cannot be scored on.
    """
    seed = args.init_seed
    scores: Evaluator | None = None
    if args.archs_per_trial > 1:
        check_together(args, space, proxies)
    if proxies:
        inputs, targets = (tensor.numpy() for tensor in images.minibatch())
        batch = images.num_classes, inputs, targets, proxies
        if args.archs_per_trial > 1:
            return together(space, *batch, init_seed=seed)
        if args.own_weights or not has_supernet(space) or isinstance(images, TextTask):
            scores = scores_on(images, space, proxies, init_seed=seed, limits=limits)
        else:
            scores = on_supernet(space, *batch, init_seed=seed, limits=limits)
        if recipe is None:
            return scores
    assert recipe is not None  # a search without one has proxies
    return training_on(images, space, recipe, init_seed=seed, scores=scores)
