"""What a space can give: whether any archs at all have certain means and deviations of accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linprog

from nas_ray.benchmarks import Benchmark
from nas_ray.errors import UsageError
from nas_ray.reproduce.audit.claims import TEST, Claim, Measure

FEWEST_RUNS = 2
"""Runs that a deviation has at least."""
TEST_ACC = "test_acc"
LONGEST = (200, 90)
"""Epochs of the longest schedules."""
INFEASIBLE = 2
"""What `linprog` says where no point is in all half spaces."""


def accuracies(benchmarks: Mapping[str, Benchmark], measures: Sequence[Measure]) -> dict[Measure, np.ndarray]:
    """Returns the accuracy `[archs]` of each measure, in percent, in one order of archs.

    Raises:
        UsageError: a benchmark does not know a dataset, or not a schedule, or not all archs at once.
    """
    found = {}
    for measure in measures:
        benchmark = benchmarks.get(measure.dataset)
        if benchmark is None:
            raise UsageError(
                f"The benchmark must know the datasets of the table, and does not know {measure.dataset}; "
                "leave the column out, or name a benchmark that does."
            )
        found[measure] = _of(benchmark, measure)
    return found


def _of(benchmark: Benchmark, measure: Measure) -> np.ndarray:
    everything = benchmark.all_test_acc()
    if everything is None:
        raise UsageError(
            "An audit needs the accuracy of all archs at once: export the official directory with "
            "nas-ray export-nats and give that table as --benchmark."
        )
    if measure.split == TEST:
        if benchmark.acc_column != TEST_ACC:
            raise UsageError(
                f"The results are test accuracy, and the benchmark {benchmark.name} holds validation "
                "accuracy alone; give --benchmark with a table that has test accuracy (docs/benchmarks.md)."
            )
        if measure.epochs not in (0, *LONGEST):
            raise UsageError(
                f"Test accuracy is known after the longest schedule alone, got a column of {measure}; leave "
                "it out, or rename it."
            )
        return np.asarray(everything, float)
    epochs = measure.epochs or _longest(benchmark)
    return np.array([benchmark.query(arch, epochs).valid_acc for arch in benchmark.archs])


def _longest(benchmark: Benchmark) -> int:
    """Returns the longest schedule that is known of the first arch."""
    for epochs in LONGEST:
        try:
            benchmark.query(benchmark.archs[0], epochs)
        except UsageError:
            continue
        return epochs
    raise UsageError(
        f"The benchmark {benchmark.name} has no validation accuracy of a long schedule; leave the columns of "
        "validation accuracy out, or name another benchmark."
    )


def possible(
    claims: Mapping[Measure, Claim], known: Mapping[Measure, np.ndarray], runs: int | None, slack: float
) -> bool:
    """Returns whether archs exist, taken any number of times, with all these means and deviations together.

    A mean over runs is a point of the convex hull of all archs, and a deviation is a second moment, so this
    is a linear programme over the shares of the archs. It is necessary, not sufficient: shares need not be
    whole numbers of runs. A deviation may have been divided by n or by n - 1.
    """
    rows: list[np.ndarray] = []
    limits: list[float] = []
    for measure, claim in claims.items():
        off = known[measure] - claim.mean
        room = claim.rounding + slack
        rows += [off, -off]
        limits += [room, room]
        if claim.deviation is not None:
            low, high = variances(claim, runs, slack)
            rows += [off**2, -(off**2)]
            limits += [high + room**2, -low]
    scale = [max(1.0, float(np.abs(row).max())) for row in rows]
    found = linprog(
        np.zeros(len(rows[0])),
        A_ub=np.array([row / size for row, size in zip(rows, scale, strict=True)]),
        b_ub=np.array([limit / size + 1e-9 for limit, size in zip(limits, scale, strict=True)]),
        A_eq=np.ones((1, len(rows[0]))),
        b_eq=np.ones(1),
        method="highs",
    )
    return bool(found.status != INFEASIBLE)


def variances(claim: Claim, runs: int | None, slack: float) -> tuple[float, float]:
    """Returns the least and the largest variance over runs that a printed deviation can stand for."""
    assert claim.deviation is not None
    room = claim.deviation_rounding + slack
    count = max(FEWEST_RUNS, runs or FEWEST_RUNS)
    low = max(0.0, claim.deviation - room) ** 2 * (count - 1) / count
    return low, (claim.deviation + room) ** 2


def largest_deviation(claim: Claim, known: np.ndarray, runs: int | None, slack: float) -> float:
    """Returns the largest deviation, divided by n - 1, that runs of such a mean can have.

    It is that of runs that all end at the best and the worst arch; where the number of runs n is known, also
    at most sqrt(n) times the distance to either: the sum of all distances to the best, in one run.
    """
    room = claim.rounding + slack
    above = max(0.0, float(known.max()) - claim.mean + room)
    below = max(0.0, claim.mean - float(known.min()) + room)
    count = max(FEWEST_RUNS, runs or FEWEST_RUNS)
    spread = math.sqrt(above * below * count / (count - 1))
    return min(spread, math.sqrt(runs) * above, math.sqrt(runs) * below) if runs else spread
