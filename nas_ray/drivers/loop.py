"""The loop of the drivers in this process: trials are asked for, carried out, and end in some order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.messages import archs_of

CarryOut = Callable[[str, Sequence[str]], tuple[float, dict[str, Any]]]
"""From the id of a trial and its archs, when it ends and its last result."""


def drive(
    searcher: ArchSearcher,
    carry_out: CarryOut,
    *,
    workers: int = 1,
    arrived: Callable[[float], None] = lambda ends: None,
) -> None:
    """Runs the trials of an attached searcher until it asks for none.

    Args:
        searcher: says what to run, and when it is over.
        carry_out: called as a trial starts.
        workers: trials in flight; those that end together arrive as they started.
        arrived: called with the end of a trial, before the searcher hears of it.
    """
    numbers, over = itertools.count(), False
    under_way: list[tuple[float, int, dict[str, Any]]] = []
    while True:
        while not over and len(under_way) < workers:
            number = next(numbers)
            config = searcher.suggest(str(number))
            if not isinstance(config, dict):
                over = config is not None
                break
            ends, result = carry_out(str(number), archs_of(config))
            heapq.heappush(under_way, (ends, number, result))
        if not under_way:
            return
        ends, number, result = heapq.heappop(under_way)
        arrived(ends)
        searcher.on_trial_complete(str(number), result)
