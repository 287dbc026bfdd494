"""What a search found, what that is worth and what it cost: a dict for `best.json`, a table to print."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.benchmarks.base import Benchmark, accuracy_column, known_accuracy, rank_among
from nas_ray.report.expected import expected_best, expected_random_arch
from nas_ray.rows import final_arch, given_in
from nas_ray.spaces.settings import arch_of

_WORTH = (
    *("benchmark", "dataset", "acc_column", "acc_source", "accuracy", "rank", "num_archs"),
    *("benchmark_best_arch", "benchmark_best_accuracy"),
    *("num_draws", "random_arch_accuracy", "oracle_random_accuracy"),
)


def summarize(
    rows: pd.DataFrame,
    *,
    best_row: Mapping[str, Any] | None,
    proxies: Sequence[str],
    benchmark: Benchmark | None,
    wall_seconds: float,
    num_draws: int,
    space: Iterable[str] | None = None,
    label: Callable[[str], str | None] = lambda arch: None,
) -> dict[str, Any]:
    """Returns what the search found, as plain JSON values; everything unknown or not finite is None.

    Keys, in this order:

    - `arch`, `index`, `trial`, `fitness`, `scores`: the best arch; None if every evaluation failed. `label`
      where its space has one for people.
    - `asked`: what was asked for, where the trial found that arch (`found` in its row); else None.
    - `benchmark`, `dataset`, `acc_column`, `acc_source`, `accuracy`: its accuracy in percent, and of what.
    - `rank`, `num_archs`: 1 = best of the benchmark; of equal archs each has the best rank.
    - `benchmark_best_arch`, `benchmark_best_accuracy`: what could have been found.
    - `num_draws`, `random_arch_accuracy`, `oracle_random_accuracy`: the exact expectation for one random
      arch, and for the best of `num_draws` different random archs picked by this very accuracy.
    - `evaluations`, `reused`, `failures`, `undefined`, `first_error`: counts of rows, of rows copied from an
      earlier evaluation, and among the others of those with an error and of those with neither error nor
      finite fitness.
    - `given`: rows of earlier searches that this one began with, only where there are any; they are no
      evaluations.
    - `compute_seconds`, `search_seconds`, `wall_seconds`, `archs_per_second`: summed over trials; until the
      last row; in all; computed archs per second from the first finished one on, so that the start of the
      workers does not hide the speed of the search.

    Args:
        rows: the rows of a search in the order of arrival.
        best_row: the row with the best fitness; None if there is none.
        proxies: names of the score columns.
        benchmark: where to look up accuracy.
        wall_seconds: duration of everything, with the start of the workers.
        num_draws: size of the random search to compare with; nothing is expected of fewer than one draw.
        space: the archs of a finite space in their published index order; None for any other space. A point
            has the index of its arch.
        label: what an arch is called among people, None if it has no other name than itself.
    """
    best = dict(best_row) if best_row is not None and _number(best_row["fitness"]) is not None else None
    arch = None if best is None else final_arch(best)
    asked = None if best is None or best["arch"] == arch else str(best["arch"])
    listed = enumerate(space) if space is not None and arch is not None else ()
    called = None if arch is None else label(arch)
    return {
        "arch": arch,
        **({"label": called} if called else {}),
        "index": next((index for index, other in listed if other == arch_of(str(arch))), None),
        "trial": None if best is None else int(best["trial"]),
        "fitness": None if best is None else _number(best["fitness"]),
        "scores": {name: None if best is None else _number(best.get(name)) for name in proxies},
        "asked": asked,
        **_worth(arch, benchmark, num_draws, proxies),
        **_cost(rows, wall_seconds),
    }


def best_row(rows: pd.DataFrame) -> dict[str, Any] | None:
    """Returns the fittest row, the first to arrive among equals; None if no evaluation succeeded."""
    fitness = rows["fitness"].to_numpy(dtype=float)
    if not np.isfinite(fitness).any():
        return None
    place = int(np.argmax(np.where(np.isfinite(fitness), fitness, -np.inf)))
    return {str(key): value for key, value in rows.iloc[place].items()}


def _worth(
    arch: str | None, benchmark: Benchmark | None, num_draws: int, scores: Sequence[str]
) -> dict[str, Any]:
    worth: dict[str, Any] = {**dict.fromkeys(_WORTH), "num_draws": int(num_draws)}
    if benchmark is None:
        return worth
    accuracy = None if arch is None else _number(known_accuracy(benchmark, arch))
    worth.update(benchmark=benchmark.name, dataset=benchmark.dataset, accuracy=accuracy)
    worth.update(acc_column=accuracy_column(benchmark, scores), acc_source=benchmark.acc_source)
    every = benchmark.all_test_acc()
    known = np.array([]) if every is None else every[np.isfinite(every)]
    if every is None or not len(known):
        return worth
    if accuracy is not None:
        worth["rank"] = rank_among(known, accuracy)
    best = int(np.argmax(np.where(np.isfinite(every), every, -np.inf)))
    worth.update(num_archs=len(known), benchmark_best_arch=str(benchmark.archs[best]))
    worth.update(benchmark_best_accuracy=float(every[best]), random_arch_accuracy=expected_random_arch(known))
    if num_draws >= 1:
        worth["oracle_random_accuracy"] = expected_best(known, num_draws, replace=False)
    return worth


def _cost(rows: pd.DataFrame, wall_seconds: float) -> dict[str, Any]:
    given = given_in(rows)
    own = rows.iloc[given:]
    fresh = own[~own["reused"].eq(True)]
    errors = fresh["error"].dropna()
    finite = np.isfinite(fresh["fitness"].astype(float).to_numpy())
    no_error = fresh["error"].isna().to_numpy()
    ends = fresh["finished_at"].astype(float).to_numpy()
    busy = float(np.ptp(ends)) if len(ends) else 0.0
    return {
        "evaluations": len(own),
        **({"given": given} if given else {}),
        "reused": len(own) - len(fresh),
        "failures": len(errors),
        "undefined": int((~finite & no_error).sum()),
        "first_error": None
        if errors.empty
        else f"trial {fresh.loc[errors.index[0], 'trial']}: {errors.iloc[0]}",
        "compute_seconds": _number(fresh["seconds"].astype(float).sum()),
        "search_seconds": _number(rows["finished_at"].astype(float).max()) if len(rows) else None,
        "wall_seconds": _number(wall_seconds),
        "archs_per_second": int((ends > ends.min()).sum()) / busy if busy > 0 else None,
    }


def _number(value: Any) -> float | None:
    number = float("nan") if value is None or value is pd.NA else float(value)
    return number if math.isfinite(number) else None
