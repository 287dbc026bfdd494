"""How a search went: fitness of every evaluation, and accuracy of the best arch known so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nas_ray.benchmarks.base import Benchmark
from nas_ray.report.expected import expected_best

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8a8a8a"
MOST_PREFIXES = 200


def best_so_far(
    rows: pd.DataFrame,
    fitness: Callable[[Sequence[dict[str, Any]]], np.ndarray],
    accuracy: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Returns the incumbent after each evaluation: `evaluation`, `finished_at`, `arch`, `accuracy` (percent).

    The incumbent at step k is the arch with the best fitness among the first k rows, as the searcher saw it
    then: a relative fitness is computed on these rows alone. Beyond 500 rows that is done at 200 steps,
    closer together at the start. Steps before the first success have no incumbent and are left out.

    Args:
        rows: in order of arrival.
        fitness: of a sequence of rows, larger is better.
        accuracy: by arch; None leaves the column out.
    """
    records = [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
    found = []
    for step in steps(len(records)):
        values = np.asarray(fitness(records[:step]), dtype=float)
        best = int(np.argmax(values))
        if np.isfinite(values[best]):
            found.append((step, records[step - 1].get("finished_at"), records[best]["arch"]))
    table = pd.DataFrame(found, columns=["evaluation", "finished_at", "arch"])
    return table if accuracy is None else table.assign(accuracy=table["arch"].map(accuracy))


def steps(count: int) -> list[int]:
    """Returns the numbers of rows at which the incumbent is computed: 1 to `count`, or 200 of them."""
    if count <= 500:
        return list(range(1, count + 1))
    return sorted({int(step) for step in np.geomspace(1, count, MOST_PREFIXES).round()})


def draw_search(
    rows: pd.DataFrame,
    fitness: Callable[[Sequence[dict[str, Any]]], np.ndarray],
    benchmark: Benchmark | None,
    path: Path,
) -> None:
    """Writes the picture of a search: fitness above, accuracy of the incumbent below."""
    known = {arch: benchmark.test_acc(arch) for arch in rows["arch"].unique()} if benchmark else None
    curve = best_so_far(rows, fitness, known)
    figure = Figure(figsize=(8.6, 6.4 if benchmark else 3.6), layout="constrained")
    panels = figure.subplots(2 if benchmark else 1, 1, sharex=True, squeeze=False)[:, 0]
    _draw_fitness(panels[0], rows, curve, getattr(fitness, "names", ("own function",)))
    if benchmark:
        _draw_accuracy(panels[1], rows, curve, benchmark)
    panels[-1].set_xlabel("evaluations")
    for panel in panels:
        panel.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8.5)
    figure.savefig(path, dpi=150, facecolor="white")


def _draw_fitness(axes: Axes, rows: pd.DataFrame, curve: pd.DataFrame, names: Sequence[str]) -> None:
    values = rows["fitness"].to_numpy(dtype=float)
    number, fine = np.arange(1, len(values) + 1), np.isfinite(values)
    axes.plot(number[fine], values[fine], ".", color=BLUE, markersize=4, alpha=0.6, label="evaluation")
    places = [int(np.flatnonzero(rows["arch"] == arch)[0]) for arch in curve["arch"].unique()]
    axes.plot(
        number[places], values[places], "o", color=ORANGE, markersize=6, mfc="none", label="was best so far"
    )
    if not fine.all():
        bottom = np.min(values[fine], initial=0.0)
        failed = np.full(int((~fine).sum()), bottom)
        axes.plot(number[~fine], failed, "x", color=GREY, markersize=5, label="failed or undefined")
    if (
        len(names) == 1
        and fine.any()
        and values[fine].min() > 0
        and values[fine].max() > 1e4 * values[fine].min()
    ):
        axes.set_yscale("log")  # scores such as SynFlow span many orders of magnitude
    axes.set_ylabel(names[0] if len(names) == 1 else f"fitness\n({' and '.join(names)})")


def _draw_accuracy(axes: Axes, rows: pd.DataFrame, curve: pd.DataFrame, benchmark: Benchmark) -> None:
    axes.plot(
        curve["evaluation"],
        curve["accuracy"],
        drawstyle="steps-post",
        color=ORANGE,
        lw=2,
        label="best by fitness so far",
    )
    shown = [curve["accuracy"].to_numpy(dtype=float)]
    everything = benchmark.all_test_acc()
    if everything is not None:
        count = len(rows)
        draws = sorted({int(n) for n in np.geomspace(1, count, 60).round()})
        oracle = np.array([expected_best(everything, n, replace=False) for n in draws])
        best, mean = float(everything.max()), float(everything.mean())
        axes.plot(
            draws, oracle, "--", color=BLUE, lw=1.3, label="random search that sees\nthe accuracy, expected"
        )
        axes.axhline(best, color=GREEN, lw=1.3, label=f"best of the benchmark, {best:.2f}")
        axes.axhline(mean, color=GREY, lw=1.3, ls=":", label=f"a random arch, {mean:.2f}")
        shown += [oracle, np.array([best, mean])]
    values = np.concatenate(shown)
    values = values[np.isfinite(values)]
    if len(values):
        low, high = values.min(), values.max()
        axes.set_ylim(max(low, high - 25) - 1, high + 1)
    axes.set_ylabel("accuracy in %")
    axes.set_title(benchmark.acc_source, fontsize=8, loc="left", color="#555555", wrap=True)
