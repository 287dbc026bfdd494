"""How long the trainings of a search will take, told before they start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from nas_ray.drivers.plan import Plan
from nas_ray.drivers.resources import Request
from nas_ray.evaluation.base import Foretold
from nas_ray.spaces import SearchSpace
from nas_ray.training.expected import Expected

ARCHS = 3
"""Random archs that are measured: nets of a space differ in size."""


def expected(
    evaluator: object, space: SearchSpace, left: float, request: Request, plan: Plan
) -> Expected | None:
    """Returns how long `left` evaluations will take, by a few random archs; None where that cannot be known.

    It is known of trainings that run on this machine. A net that cannot take a step here is told of by its
    trial.

    Args:
        evaluator: of the archs.
        space: whose archs are drawn.
        left: evaluations that are left; a part of one is a part of its epochs.
        request: what was asked for, which says whether trials run here.
        plan: how trials are run.
    """
    away = request.address is not None or (plan.accelerator == "gpu" and not torch.cuda.is_available())
    if not isinstance(evaluator, Foretold) or away or left <= 0:
        return None
    threads = max(1, int(plan.cpus_per_trial))
    rng = np.random.default_rng(0)
    try:
        measured = [
            evaluator.foretold(space.sample(rng), accelerator=plan.accelerator, threads=threads)
            for _ in range(ARCHS)
        ]
    except Exception:  # foreign code, or want of memory
        return None
    at_once = min(plan.max_concurrent, max(1, round(left)))
    return Expected(
        left * _mean([one.epochs for one in measured]),
        _mean([one.epoch_seconds for one in measured]),
        at_once * _mean([one.once for one in measured]),  # every worker makes its data ready
        at_once,
        at_most=plan.scheduler is not None,
    )


def time_lines(found: Expected | None) -> list[str]:
    """Returns the line of the introduction, or none."""
    return [] if found is None else [f"time       {found}"]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
