"""How a search judges archs: which evaluator the arguments ask for, and which fitness."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_ray.drivers.plan import PROCESS
from nas_ray.drivers.scheduler_names import check_scheduler
from nas_ray.errors import UsageError
from nas_ray.evaluation.proxy_scores import Evaluator, ProxyScores
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import Proxy
from nas_ray.proxies.forms import as_stored
from nas_ray.proxies.measured import MEASURED
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.proxies.undefined import check_defined
from nas_ray.search.arguments import SearchArgs
from nas_ray.searchers import Fitness, Single, parse_fitness
from nas_ray.shared_weights.chunk_scores import ChunkScores
from nas_ray.shared_weights.size_scores import SizeScores
from nas_ray.shared_weights.supernet import check_supernet
from nas_ray.spaces import NatsSss, NatsTss, SearchSpace
from nas_ray.training.recipes import parse_recipe

VALID_ACC = "valid_acc"
CHECKPOINTS = "checkpoints"
SearchEvaluator = ProxyScores | ChunkScores | SizeScores | ShortTraining


def check_fidelity(args: SearchArgs) -> None:
    """Checks what belongs to short training.

    Raises:
        UsageError: a recipe or scheduler that is none, or options that need --fidelity or exclude it.
    """
    if args.fidelity is None:
        if args.scheduler != "none":
            raise UsageError(
                f"--scheduler {args.scheduler} stops trainings early and needs --fidelity, such as epochs:4."
            )
        return
    if args.archs_per_trial > 1:
        raise UsageError(
            f"--archs-per-trial {args.archs_per_trial} scores archs together and cannot train them; leave it "
            "out with --fidelity."
        )
    check_scheduler(args.scheduler, **_schedule(args))
    if args.scheduler != "none" and args.driver == PROCESS:
        raise UsageError(
            f"--scheduler {args.scheduler} is one of Ray Tune and needs --driver ray; leave one of them out."
        )


def scheduler_of(args: SearchArgs) -> Callable[[], Any] | None:
    """Returns what makes the scheduler of Ray Tune; None where nothing is stopped early."""
    if args.fidelity is None or args.scheduler == "none":
        return None

    def make() -> Any:
        from nas_ray.drivers.scheduling import make_scheduler  # imports Ray

        return make_scheduler(args.scheduler, **_schedule(args))

    return make


def _schedule(args: SearchArgs) -> dict[str, Any]:
    epochs = parse_recipe(args.fidelity or "").epochs
    return {
        "epochs": epochs,
        "grace_epochs": args.grace_epochs,
        "reduction_factor": args.reduction_factor,
    }


def place(evaluator: Evaluator, accelerator: str, folder: Path) -> None:
    """Tells an evaluator its device (`cpu` or `gpu`) and the run folder, where unfinished trainings go."""
    if hasattr(evaluator, "accelerator"):
        evaluator.accelerator = accelerator
    if isinstance(evaluator, ShortTraining):
        evaluator.checkpoints = folder.resolve() / CHECKPOINTS
        _ = evaluator.fingerprint  # once here, and not by every worker
        if isinstance(evaluator.scores, ProxyScores):
            evaluator.scores.accelerator = accelerator


def keep_forms(evaluator: Evaluator, stored: object) -> None:
    """Lets a resumed search score as it began, where a proxy has changed since (`nas_ray.proxies.forms`).

    Args:
        evaluator: of the search.
        stored: the forms that `run.json` names.
    """
    scores = evaluator.scores if isinstance(evaluator, ShortTraining) else evaluator
    if isinstance(scores, (ProxyScores, ChunkScores)) and isinstance(scores.proxies, Mapping):
        scores.proxies = as_stored(scores.proxies, stored)


def wanted_proxies(args: SearchArgs) -> dict[str, Proxy]:
    """Returns the proxies of `args` and the costs that it limits, by column.

    Raises:
        UsageError: unknown or broken ones, or a limit that is not positive.
    """
    names = [name for given in args.proxies for name in given.replace(",", " ").split()]
    return resolve_proxies([*names, *(name for name in measured_limits(args) if name not in names)])


def make_fitness(args: SearchArgs, proxies: Sequence[str]) -> Fitness:
    """Returns what the search maximises, from the names of the proxies.

    Raises:
        UsageError: unknown kind or score.
    """
    if args.fidelity is None:
        return parse_fitness(args.fitness, proxies if args.fitness else scores_of(args, proxies))
    if args.fitness is None:
        return Single((VALID_ACC,))
    return parse_fitness(args.fitness, [*proxies, VALID_ACC])


def measured_limits(args: SearchArgs) -> dict[str, float]:
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


def scores_of(args: SearchArgs, names: Sequence[str]) -> list[str]:
    """Returns the columns that a fitness may take without being asked: all but measured costs.

    Raises:
        UsageError: nothing but costs is computed, and no fitness says what to make of them.
    """
    scores = [name for name in names if name not in MEASURED]
    if not scores and args.fitness is None and args.fidelity is None:
        raise UsageError(
            f"A search needs a score to maximise, but {', '.join(names)} are costs; add a proxy to --proxies."
        )
    return scores


def uses(fitness: Fitness, proxy: str) -> bool:
    """Returns whether `fitness` looks at a column of `proxy`; one that does not say so looks at all."""
    names = getattr(fitness, "names", (proxy,))
    return any(name == proxy or name.startswith(f"{proxy}.") for name in names)


def check_scores(fitness: Fitness, proxies: Mapping[str, Proxy], images: ImageDataModule) -> None:
    """Checks that the minibatch leaves no score undefined for every net that a fitness cannot do without.

    Raises:
        UsageError: it does, and all archs would be equally bad.
    """
    needed = {
        name: proxy for name, proxy in proxies.items() if hasattr(fitness, "names") and uses(fitness, name)
    }
    if needed:
        check_defined(needed, images.minibatch()[1], images.num_classes)


def check_batched(args: SearchArgs, space: SearchSpace, proxies: Mapping[str, Proxy]) -> None:
    """Checks that archs can be scored together.

    Raises:
        UsageError: there is no supernet of the space, or a cost is to be measured.
    """
    option = f"--archs-per-trial {args.archs_per_trial}"
    if measured := [name for name in proxies if name in MEASURED]:
        raise UsageError(
            f"{option} scores archs on parts of one large net, which do not cost what the nets cost, and "
            f"cannot measure {measured[0]}; leave --archs-per-trial out."
        )
    if type(space) is NatsSss:
        return
    if type(space) is not NatsTss:
        raise UsageError(
            f"{option} needs the search space nats-tss or nats-sss, got {args.space!r}; leave "
            "--archs-per-trial out."
        )
    check_supernet(space)


def make_evaluator(
    args: SearchArgs, space: SearchSpace, proxies: Mapping[str, Proxy], images: ImageDataModule
) -> SearchEvaluator:
    """Returns what judges archs: scores net by net, of several on one supernet, or a short training.

    Raises:
        UsageError: images that cannot be scored on, such as copies of one.
    """
    if args.fidelity and not proxies:
        return _training(args, space, images, None)
    inputs, targets = (tensor.numpy() for tensor in images.minibatch())
    if args.archs_per_trial > 1 and isinstance(space, NatsSss):
        return SizeScores(space, images.num_classes, inputs, targets, list(proxies), init_seed=args.init_seed)
    if args.archs_per_trial > 1 and isinstance(space, NatsTss):
        return ChunkScores(space, images.num_classes, inputs, targets, proxies, init_seed=args.init_seed)
    scores = ProxyScores(
        space,
        images.num_classes,
        inputs,
        targets,
        proxies,
        init_seed=args.init_seed,
        limits=measured_limits(args),
    )
    return scores if args.fidelity is None else _training(args, space, images, scores)


def _training(
    args: SearchArgs, space: SearchSpace, images: ImageDataModule, scores: ProxyScores | None
) -> ShortTraining:
    return ShortTraining(
        space,
        images.num_classes,
        images.train_images,
        parse_recipe(args.fidelity or ""),
        init_seed=args.init_seed,
        split_seed=args.batch_seed,
        scores=scores,
    )
