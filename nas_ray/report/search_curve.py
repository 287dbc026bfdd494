"""The course of a search: the best arch so far and its benchmark accuracy after every evaluation."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.benchmarks.base import Benchmark, known_accuracy
from nas_ray.report.canvas import Axes, Figure, MaxNLocator, draw, new_figure
from nas_ray.report.expected import ORACLE, expected_best, expected_random_arch
from nas_ray.report.standing import PERCENTILE, best_standing, is_relative, standing
from nas_ray.rows import final_arch, given_in

MAX_PREFIXES = 500
"""Up to this many evaluations, a relative fitness is computed anew after every one of them."""

SPARSE_PREFIXES = 200
"""Beyond that, it is computed after this many, spaced evenly on a logarithmic scale."""

SHOWN = "shown"
"""The column of what a picture shows of the fitness."""

_ORANGE, _BLUE, _GREEN, _GREY = "#D55E00", "#0072B2", "#009E73", "#8a8f98"


def best_so_far(
    rows: pd.DataFrame,
    accuracy: Callable[[str], float] | None,
    *,
    fitness: Callable[[Sequence[dict[str, Any]]], np.ndarray],
) -> pd.DataFrame:
    """Returns the incumbent, the arch with the best fitness so far, after every evaluation.

    A fitness may be relative to the rows it is given, so the incumbent after k evaluations is the arch with
    the best fitness within these k rows, as it was known at that time. Repeated archs count once, the first
    of equals leads.

    Rows that a search was given are no evaluations: the line begins with the best of them, at evaluation 0.

    Columns: `evaluation` (1 = first), `finished_at` (seconds since the start of the search), `trial` and
    `arch` of the incumbent (what its trial found, if it says so; missing before the first success), its final
    `fitness` (relative to all rows of the search) and its `accuracy` (percent; NaN if unknown).

    Args:
        rows: the rows of a search in the order of arrival.
        accuracy: the benchmark's accuracy of an arch, such as `benchmark.test_acc` or `table.__getitem__`;
            called once per incumbent. None if there is no benchmark.
        fitness: what the search maximised. Unless its attribute `relative` is False, it is computed anew for
            every prefix of the rows, and for more than 500 rows after about 200 of the evaluations only.
    """
    fresh = ~rows["reused"].eq(True)
    distinct = [{str(k): v for k, v in row.items()} for row in rows[fresh].to_dict("records")]
    counts = fresh.cumsum().to_numpy()  # distinct archs after each evaluation
    relative = is_relative(fitness)
    values = np.array([]) if relative else np.asarray(fitness(distinct))
    leaders: dict[int, dict[str, Any] | None] = {}
    accuracies: dict[str, float] = {}
    table = []
    given = given_in(rows)
    finished = rows["finished_at"].to_numpy(dtype=float, na_value=np.nan)
    running = _running_leaders(values)
    for evaluation in _evaluations(len(rows), relative, given):
        count = int(counts[evaluation - 1])
        if count not in leaders:
            if relative:
                leaders[count] = _leader(distinct[:count], np.asarray(fitness(distinct[:count])))
            else:
                leaders[count] = distinct[running[count]] if count and running[count] >= 0 else None
        leader = leaders[count] or {}
        arch = final_arch(leader) if leader else None
        if arch is not None and arch not in accuracies:
            accuracies[arch] = float("nan") if accuracy is None else float(accuracy(arch))
        table.append(
            {
                "evaluation": evaluation,
                "finished_at": float(finished[evaluation - 1]),
                "trial": leader.get("trial"),
                "arch": arch,
                "fitness": float(leader.get("fitness", np.nan)),
                "accuracy": accuracies.get(str(arch), np.nan),
            }
        )
    columns = ["evaluation", "finished_at", "trial", "arch", "fitness", "accuracy"]
    curve = pd.DataFrame(table, columns=columns).astype({"trial": "Int64"})
    return curve.assign(evaluation=curve["evaluation"] - given)


def _evaluations(size: int, relative: bool, given: int) -> list[int]:
    """Returns after how many rows the incumbent is looked for: with all that were given, then later."""
    first = max(1, given)
    if not relative or size - given <= MAX_PREFIXES:
        return list(range(first, size + 1))
    places = np.unique(np.geomspace(1, size - given, SPARSE_PREFIXES).round()) + given
    return sorted({first, *map(int, places)})


def _running_leaders(fitness: np.ndarray) -> list[int]:
    """Returns for 0, 1 and so on rows the place of the first one with the best of `fitness`, -1 for none."""
    finite = np.where(np.isfinite(fitness), fitness, -np.inf)
    before = np.maximum.accumulate(np.append(-np.inf, finite))[:-1]
    led = np.where(finite > before, np.arange(len(finite)), -1)
    return [-1, *np.maximum.accumulate(led).tolist()]


def _leader(rows: list[dict[str, Any]], fitness: np.ndarray) -> dict[str, Any] | None:
    finite = np.where(np.isfinite(fitness), fitness, -np.inf)
    best = int(np.argmax(finite)) if len(rows) else 0
    return rows[best] if len(rows) and np.isfinite(finite[best]) else None


def draw_search(
    rows: pd.DataFrame,
    path: Path,
    *,
    fitness: Callable[[Sequence[dict[str, Any]]], np.ndarray],
    fitness_label: str = "fitness",
    benchmark: Benchmark | None = None,
) -> None:
    """Writes a picture of the search: every evaluation's fitness and, below, the incumbent's accuracy.

    Args:
        rows: the rows of a search in the order of arrival.
        path: a file name that ends in a format of matplotlib, such as `.png`.
        fitness: what the search maximised, as for `best_so_far`.
        fitness_label: its name and, if it has one, unit.
        benchmark: adds the lower panel: the incumbent's accuracy, the best of the benchmark and the expected
            best of random searches of equal size (the last two if all accuracies are at hand).
    """
    accuracy = None if benchmark is None else lambda arch: known_accuracy(benchmark, arch)
    curve = best_so_far(rows, accuracy, fitness=fitness)
    label = f"{fitness_label}: {PERCENTILE}" if is_relative(fitness) else fitness_label
    shown = rows.assign(**{SHOWN: standing(rows, fitness)})
    draw(path, lambda: _search_panels(shown, curve, label, benchmark))


def _search_panels(
    rows: pd.DataFrame, curve: pd.DataFrame, fitness_label: str, benchmark: Benchmark | None
) -> Figure:
    best = best_standing(rows[SHOWN].to_numpy())
    curve = curve.assign(**{SHOWN: best[curve["evaluation"].to_numpy(dtype=int) + given_in(rows) - 1]})
    rows = rows.iloc[given_in(rows) :]
    figure = new_figure((6.0, 2.9 if benchmark is None else 5.4))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.06)
    panels = figure.subplots(1 if benchmark is None else 2, 1, sharex=True, squeeze=False)[:, 0]
    _draw_fitness(panels[0], rows, curve, fitness_label)
    if benchmark is not None:
        caption = f"{benchmark.acc_column}: {benchmark.acc_source}."
        if _draw_accuracy(panels[1], curve, benchmark):
            caption += f" {ORACLE}"
        figure.supxlabel(textwrap.fill(caption, 108), fontsize=7, color="#555555")
    for panel in panels:
        _dress(panel)
    panels[-1].set_xlabel("evaluations", fontsize=9)
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    margin = 0.5 + 0.01 * len(rows)
    first = 1 if curve.empty else int(curve["evaluation"].iloc[0])
    panels[-1].set_xlim(first - margin, max(len(rows), 1) + margin)
    figure.align_ylabels()
    return figure


def _dress(axes: Axes) -> None:
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    if names := axes.get_legend_handles_labels()[1]:
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "frameon": False}
        axes.legend(
            **place, ncols=3 if len(names) < 4 else 2, fontsize=8, columnspacing=1.0, handletextpad=0.5
        )


def _draw_fitness(axes: Axes, rows: pd.DataFrame, curve: pd.DataFrame, label: str) -> None:
    axes.set_ylabel(label.replace(",", ", "), fontsize=9)
    values = rows[SHOWN].to_numpy()
    evaluations = np.arange(1, len(rows) + 1)
    good = np.isfinite(values)
    if good.any():
        dots: dict[str, Any] = {"markersize": 3.5, "mew": 0, "color": _GREY, "alpha": 0.6}
        axes.plot(evaluations[good], values[good], "o", label="evaluation", **dots)
        _step(axes, curve, SHOWN, "best so far", curve[SHOWN].to_numpy())
        _scale(axes, values[good])
    if not good.all():
        failed, at_bottom = evaluations[~good], axes.get_xaxis_transform()
        marks: dict[str, Any] = {"markersize": 4.5, "color": "#222222", "clip_on": False, "zorder": 3}
        label = f"failed or undefined ({len(failed)})"
        axes.plot(failed, np.zeros(len(failed)), "x", transform=at_bottom, label=label, **marks)
    if not good.any():
        axes.set_yticks([])


def _step(axes: Axes, curve: pd.DataFrame, name: str, label: str, leaders: np.ndarray) -> None:
    """Draws column `name` as a staircase with a mark wherever `leaders`, NaN before the first, change."""
    changes = np.flatnonzero(np.isfinite(leaders) & (leaders != np.concatenate([[np.nan], leaders[:-1]])))
    style: dict[str, Any] = {"color": _ORANGE, "linewidth": 1.7, "markersize": 5, "mew": 0.7, "mec": "white"}
    steps = curve["evaluation"], curve[name]
    axes.step(*steps, where="post", marker="o", markevery=changes.tolist(), label=label, **style)


def _scale(axes: Axes, values: np.ndarray) -> None:
    """Makes the axis logarithmic where the values span more than four orders of magnitude."""
    sizes = np.abs(values[values != 0])
    axes.margins(y=0.08)
    if len(sizes) and sizes.max() > 1e4 * np.median(sizes):
        if values.min() > 0:
            axes.set_yscale("log")
        else:
            axes.set_yscale("symlog", linthresh=float(np.median(sizes)))


def _draw_accuracy(axes: Axes, curve: pd.DataFrame, benchmark: Benchmark) -> bool:
    """Draws the incumbent's accuracy and returns whether the benchmark's own lines could be drawn too."""
    axes.set_ylabel(f"{benchmark.acc_column} (%)", fontsize=9)
    leaders = curve["trial"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    _step(axes, curve, "accuracy", "best so far by fitness", leaders)
    accuracies = benchmark.all_test_acc()
    if accuracies is None or curve.empty:
        return False
    known = np.sort(accuracies[np.isfinite(accuracies)])
    draws = np.unique(np.geomspace(1, max(1, curve["evaluation"].iloc[-1]), 100).round().astype(int))
    oracle = [expected_best(known, int(n), replace=False) for n in draws]
    axes.plot(draws, oracle, "--", color=_BLUE, linewidth=1.5, label="oracle random search", zorder=1.5)
    one = expected_random_arch(known)
    axes.axhline(
        one, color=_GREY, linestyle="-.", linewidth=1.3, label=f"one random arch ({one:.2f} %)", zorder=1
    )
    axes.axhline(
        known[-1], color=_GREEN, linestyle=":", linewidth=1.8, label=f"best of benchmark ({known[-1]:.2f} %)"
    )
    # A first incumbent at chance level would squeeze all else: the axis starts where the staircase soon is.
    later = curve.loc[curve["evaluation"] > 0.1 * len(curve), "accuracy"].min()
    low = float(np.nanmin([oracle[0], later]))
    axes.set_ylim(low - 0.06 * (known[-1] - low) - 0.01, known[-1] + 0.08 * (known[-1] - low) + 0.01)
    return True
