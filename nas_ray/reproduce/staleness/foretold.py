"""How long the runs of the study will take, by the first ones of every searcher."""

from __future__ import annotations

import time
from collections.abc import Sequence

from nas_ray.reproduce.known import Known
from nas_ray.reproduce.staleness.kept import KeptRuns
from nas_ray.reproduce.staleness.searching import Task, search
from nas_ray.reproduce.staleness.table import searcher_of
from nas_ray.reproduce.tables import Setting
from nas_ray.terminal.text import about

TRIED = 2
"""Runs of each searcher that are timed, of which the fastest counts: the first one imports."""
START_S = 3.0
"""Seconds until processes have imported what they need."""

Missing = Sequence[tuple[Setting, list[int]]]


def foretold(known: Known, missing: Missing, datasets: Sequence[str], kept: KeptRuns, processes: int) -> str:
    """Makes the first runs of every searcher here, and returns how long all that are left will take.

    Args:
        known: of the space.
        missing: runs to make; those that are made are taken out.
        datasets: what is reported.
        kept: takes the runs.
        processes: that share the rest.
    """
    took: dict[str, tuple[float, int]] = {}
    for row, seeds in missing:
        if searcher_of(row) in took or not seeds:
            continue
        seconds = []
        for seed in seeds[:TRIED]:
            began = time.perf_counter()
            kept.add(search(known, Task(row, (seed,), tuple(datasets))))
            seconds.append(time.perf_counter() - began)
        del seeds[:TRIED]
        took[searcher_of(row)] = min(seconds), size(row)
    left = sum(len(seeds) for _, seeds in missing)
    each = {name: seconds / evaluations for name, (seconds, evaluations) in took.items()}
    whole = sum(len(seeds) * each[searcher_of(row)] * size(row) for row, seeds in missing)
    if processes > 1:
        whole = START_S + whole / processes
    together = f", {processes} at a time" if processes > 1 else ""
    return f"{about(whole)}: {left:,} runs, by the first ones here{together}"


def size(row: Setting) -> int:
    """Returns how large a run is beside others: with the clock's seconds, each worker has all of them."""
    return 1 if row.pooled or row.seconds is None else row.workers
