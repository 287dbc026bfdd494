"""How much of a GPU a trial takes, so that as many trials share one as fit."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from nas_ray.rows import GPU_MEMORY, Row

COLUMN = GPU_MEMORY

PER_PROCESS = 600 * 2**20
"""Bytes that CUDA takes for every process beside what torch allocates: kernels, libraries."""


def with_gpu_memory(evaluate: Callable[[], list[Row]]) -> list[Row]:
    """Returns the rows of `evaluate()`, with the most memory of the GPU that they took meanwhile.

    A trial that is to share a GPU must not keep memory that it no longer needs: what is free goes back.
    """
    import torch

    if _in_use():
        torch.cuda.reset_peak_memory_stats()
    rows = evaluate()
    if not _in_use():
        return rows
    taken = share()
    torch.cuda.empty_cache()
    return [{**row, COLUMN: taken} for row in rows]


def _in_use() -> bool:
    import torch

    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]  # untyped in torch


def share() -> float:
    """Returns the share of the current GPU's memory that this process took at most since it last asked."""
    import torch

    total: int = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    return (float(torch.cuda.max_memory_reserved()) + PER_PROCESS) / total


def packing(rows: pd.DataFrame, gpus_per_trial: float) -> str | None:
    """Returns what the memory of `rows` says about trials per GPU; None where nothing was measured."""
    if COLUMN not in rows or rows[COLUMN].isna().all():
        return None
    most = float(rows[COLUMN].max())
    fit, now = int(1 / most), int(1 / gpus_per_trial) if gpus_per_trial else 1
    said = f"GPU memory: a trial took up to {most:.0%} of a GPU; {now} shared one"
    return f"{said}." if fit <= now else f"{said}, {fit} fit (--gpus-per-trial {1 / fit:.3g})."
