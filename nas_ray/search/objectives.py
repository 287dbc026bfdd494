"""The objectives of a search on the command line: what they look at is computed, or it is told."""

from __future__ import annotations

from collections.abc import Sequence

from nas_ray.errors import UsageError, unknown_name
from nas_ray.rows import GPU_MEMORY, TRAINED, TRAINING
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.pareto import column_of, parse_objectives

OPTION = "objectives="


def named_objectives(texts: Sequence[str]) -> list[str]:
    """Returns the columns that options of a searcher, such as `objectives=valid_acc,-flops`, name."""
    given = [text.removeprefix(OPTION) for text in texts if text.startswith(OPTION)]
    return [name for text in given if text for one in parse_objectives(text) if (name := column_of(one))]


def check_objectives(objectives: Sequence[Fitness], scores: Sequence[str]) -> None:
    """Checks that rows will have what the objectives look at.

    Raises:
        UsageError: one is no score of this search, and no column of every row.
    """
    known = [*scores, *(TRAINING if {*TRAINED} & {*scores} else ()), GPU_MEMORY, "seconds"]
    for name in filter(None, map(column_of, objectives)):
        if name not in known:
            said = unknown_name("objective", name, list(scores))
            add = "Train with --fidelity." if name in TRAINING else "Add a proxy with --proxies."
            raise UsageError(f"{said} {add}")
