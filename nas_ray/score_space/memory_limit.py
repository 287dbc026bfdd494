"""How many archs at once, and how many workers, fit into the memory that a user allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_ray.drivers.resources import Plan
from nas_ray.drivers.worker_memory import peak_bytes, worker_peak_bytes
from nas_ray.errors import UsageError
from nas_ray.spaces.nats_tss import to_ops
from nas_ray.spaces.plans import live_ops

if TYPE_CHECKING:
    from nas_ray.score_space.job import Job

TOGETHER = 64
"""Archs that run as one batch where memory is no matter."""

GIB = 2**30


def within_memory(
    job: Job, names: Sequence[str], plan: Plan, chunks: Sequence[Sequence[str]]
) -> tuple[int, Plan]:
    """Returns how many archs may run as one batch, and the plan with as many workers as fit.

    What a worker needs is measured: one scores the heaviest archs, and its peak counts.

    Raises:
        UsageError: not even one worker fits.
    """
    if job.args.max_memory is None:
        return TOGETHER, plan
    heaviest = sorted((arch for chunk in chunks for arch in chunk), key=weight, reverse=True)
    left = job.args.max_memory * GIB - peak_bytes()
    together, need = TOGETHER, _measure(job, names, plan, heaviest[:TOGETHER], TOGETHER)
    if need > left:
        least = _measure(job, names, plan, heaviest[:1], 1)
        if least > left:
            own, other = (f"{size / GIB:.1f} GiB" for size in (peak_bytes(), least))
            raise UsageError(
                f"--max-memory {job.args.max_memory:g} must hold the driver, {own}, and a worker, {other} "
                f"for {', '.join(names)}; raise it, or lower --batch-size."
            )
    while need > left and together > 1:
        together //= 2
        need = _measure(job, names, plan, heaviest[:together], together)
    return together, dataclasses.replace(
        plan, max_concurrent=max(1, min(plan.max_concurrent, int(left / need)))
    )


def weight(arch: str) -> tuple[int, int]:
    """Returns how many large convolutions an arch has, and how many maps."""
    ops = live_ops(to_ops(arch))
    return ops.count("nor_conv_3x3"), len(ops) - ops.count("none")


def _measure(job: Job, names: Sequence[str], plan: Plan, archs: Sequence[str], together: int) -> int:
    """Returns the peak memory in bytes of a new worker that scores `archs`."""
    scorer = job.scorer(names, plan, together)
    return worker_peak_bytes(scorer, archs, plan)
