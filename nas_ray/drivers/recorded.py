"""What a search that is called as a function leaves beside its journal: all that makes it a run."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nas_ray.drivers.plan import Budget
from nas_ray.drivers.table import to_table
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import Evaluator
from nas_ray.rows import given_in
from nas_ray.runs.folder import FILE_NAME, FORMAT, fingerprint, provenance, update_run
from nas_ray.runs.writing import write_json, write_table
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.combined import Combined, Mixed
from nas_ray.searchers.fitness import FITNESSES, Fitness, Single
from nas_ray.searchers.pareto import column_of, objectives_of
from nas_ray.spaces import FiniteSpace
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.product import arch_space


def search_args(
    searcher: ArchSearcher, budget: Budget, *, driver: str, archs_per_trial: int
) -> dict[str, Any]:
    """Returns the `args` of `run.json` of a search that is called as a function."""
    kind = type(searcher)
    return {
        "searcher": f"{kind.__module__}:{kind.__qualname__}",
        "space": type(searcher.space).__name__,
        "dataset": "unknown",
        "fitness": text_of(searcher.fitness),
        "seed": searcher.seed,
        "archs_per_trial": archs_per_trial,
        "driver": driver,
        **asdict(budget),
    }


def text_of(fitness: Fitness) -> str | None:
    """Returns what `parse_fitness` makes `fitness` of; None for one that no text describes."""
    if isinstance(fitness, Single):
        return fitness.names[0]
    kind = next((name for name, made in FITNESSES.items() if made is type(fitness)), None)
    if kind is None or not isinstance(fitness, Combined):
        return None
    weight = f"={fitness.weight!r}" if isinstance(fitness, Mixed) else ""
    return f"{kind}{weight}:{','.join(fitness.names)}"


def run_info(
    name: str, searcher: ArchSearcher, evaluator: Evaluator, args: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns what `run.json` says of such a search.

    Args:
        name: of the function.
        searcher: of the search.
        evaluator: of the search, which may see a minibatch.
        args: `search_args`.
    """
    objectives = objectives_of(searcher.objectives)
    arrays = [getattr(evaluator, part, None) for part in ("inputs", "targets")]
    seen = [array for array in arrays if isinstance(array, np.ndarray)]
    return {
        "experiment": name,
        "status": "running",
        "args": dict(args),
        "scores": list(_scores(searcher)),
        "objectives": list(map(str, objectives)) if all(map(column_of, objectives)) else [],
        **({"minibatch_sha256": fingerprint(*seen)} if len(seen) == len(arrays) else {}),
    }


@contextlib.contextmanager
def recorded(folder: Path, searcher: ArchSearcher, info: Mapping[str, Any]) -> Iterator[None]:
    """Writes `run.json` before a search, and tables and `best.json` after it, whatever ended it.

    Args:
        folder: with the journal; a `run.json` in it stays what it is, but for the status.
        searcher: which has all rows at the end.
        info: what `run.json` says.
    """
    began = time.monotonic()
    if os.path.lexists(folder / FILE_NAME):
        update_run(folder, status="running")
    else:
        write_json(folder / FILE_NAME, {"format": FORMAT, **info, **provenance()})
    try:
        yield
    except BaseException as error:
        stopped = isinstance(error, (KeyboardInterrupt, SystemExit))
        with contextlib.suppress(OSError, UsageError):  # there is what there is
            write_table(folder, to_table(searcher))
            update_run(folder, status="interrupted" if stopped else "failed")
        raise
    _finish(folder, searcher, time.monotonic() - began)


def _scores(searcher: ArchSearcher) -> tuple[str, ...]:
    return tuple(getattr(searcher.fitness, "names", ()))


def _finish(folder: Path, searcher: ArchSearcher, seconds: float) -> None:
    from nas_ray.report.summary import best_row, summarize  # pictures come with it

    rows = to_table(searcher)
    write_table(folder, rows)
    space = arch_space(space_of_found(searcher.space))
    summary = summarize(
        rows,
        best_row=best_row(rows) if len(rows) else None,
        proxies=_scores(searcher),
        benchmark=None,
        wall_seconds=seconds,
        num_draws=len(rows) - given_in(rows),
        space=space if isinstance(space, FiniteSpace) else None,
    )
    write_json(folder / "best.json", summary)
    update_run(folder, status="finished", wall_seconds=round(seconds, 3))
