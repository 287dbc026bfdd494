"""Best, worst and gap of every searcher over its settings: what its options are worth, and to whom."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from scipy import stats

from nas_ray.report.latex import Cell, Value, escaped, latex_table
from nas_ray.reproduce.against import datasets_of, runs_of
from nas_ray.reproduce.printing import as_markdown, p_value
from nas_ray.reproduce.statistics import at_a_time
from nas_ray.terminal.console import Rows, put, say

TITLE = "Every searcher over its settings"
HEADER = ("searcher", "dataset", "settings", "best", "with", "worst", "with", "gap", "95 %", "p")
RULE = (
    "Gap: the best mean of the settings of a searcher minus their worst; each draw of the bootstrap finds "
    "both anew. Settings that differ in nothing have a gap by chance, so p is of Kruskal and Wallis's test "
    "that the runs of all of them are alike, not corrected."
)


def over_settings(
    answers: pd.DataFrame, searchers: Mapping[str, str], *, resamples: int, seed: int = 0
) -> pd.DataFrame:
    """Returns a line per searcher and dataset; none where no searcher has several settings.

    Columns: `searcher`, `dataset`, `settings` (how many), `best` and `worst` (means of accuracy, percent),
    `best_setting`, `worst_setting`, `gap` with `low` and `high` (95 % percentile bootstrap over runs), `p`.
    What needs a second setting is NaN where a searcher has one.

    Source: Kruskal and Wallis, "Use of Ranks in One-Criterion Variance Analysis", 1952, for `p`.

    Args:
        answers: `setting`, `dataset`, `accuracy`, one line per run.
        searchers: of each setting.
        resamples: draws of the bootstrap.
        seed: of the bootstrap.
    """
    own: dict[str, list[str]] = {}
    for setting, searcher in searchers.items():
        own.setdefault(searcher, []).append(setting)
    if all(len(settings) == 1 for settings in own.values()):
        return pd.DataFrame()
    lines: list[dict[str, object]] = []
    for (searcher, settings), dataset in product(own.items(), datasets_of(answers)):
        runs = {name: runs_of(answers, name, dataset) for name in settings}
        line = {"searcher": searcher, "dataset": dataset, "settings": len(settings)}
        lines.append({**line, **_spread(runs, resamples, seed)})
    return pd.DataFrame(lines)


def _spread(runs: Mapping[str, np.ndarray], resamples: int, seed: int) -> dict[str, object]:
    """Returns the columns of one line, from the runs of each setting of a searcher."""
    means = {name: float(np.mean(values)) for name, values in runs.items()}
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    nan = float("nan")
    line: dict[str, object] = {"best": means[best], "best_setting": best}
    if len(runs) == 1:
        return line | {"worst": nan, "worst_setting": "", "gap": nan, "low": nan, "high": nan, "p": nan}
    rng = np.random.default_rng(seed)
    drawn = np.stack([_drawn_means(values, resamples, rng) for values in runs.values()])
    low, high = np.quantile(np.ptp(drawn, axis=0), [0.025, 0.975])
    alike = np.ptp(np.concatenate(list(runs.values()))) == 0
    p = 1.0 if alike else float(stats.kruskal(*runs.values()).pvalue)
    gap = means[best] - means[worst]
    ends = {"low": float(low), "high": float(high), "p": p}
    return line | {"worst": means[worst], "worst_setting": worst, "gap": gap, **ends}


def _drawn_means(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the means `[resamples]` of as many draws of `values [runs]` with replacement."""
    at_once = at_a_time(len(values))
    sizes = [min(at_once, resamples - first) for first in range(0, resamples, at_once)]
    return np.concatenate([rng.choice(values, size=(count, len(values))).mean(axis=1) for count in sizes])


def say_over_settings(found: pd.DataFrame, console: Console) -> tuple[str, str]:
    """Prints what `over_settings` found; returns it as Markdown and as LaTeX, nothing where there is none."""
    if found.empty:
        return "", ""
    lines = [cells(line) for line in found.to_dict("records")]
    shown = Rows(title=TITLE, title_justify="left", box=None, header_style="bold")
    for place, head in enumerate(HEADER):
        shown.add_column(head, justify="left" if place in (0, 1, 4, 6) else "right")
    for line in lines:
        shown.add_row(*line)
    put(console, shown)
    say(console, RULE, "dim")
    text = "\n".join(["", f"### {TITLE}", "", *as_markdown(HEADER, lines), "", f"- {RULE}", ""])
    return text, "\n" + _latex(found)


def cells(line: Mapping[Hashable, Any]) -> list[str]:
    """Returns one line as text; options alone stand for a setting, `defaults` where it has none."""
    number = {name: float(line[name]) for name in ("best", "worst", "gap", "low", "high", "p")}
    several = bool(line["worst_setting"])
    return [
        str(line["searcher"]), str(line["dataset"]), str(line["settings"]), f"{number['best']:.2f}",
        options(line, "best"), *([f"{number['worst']:.2f}", options(line, "worst"), f"{number['gap']:.2f}",
        f"{number['low']:.2f} to {number['high']:.2f}", p_value(number["p"])] if several else ["-"] * 5),
    ]  # fmt: skip


def options(line: Mapping[Hashable, Any], end: str) -> str:
    """Returns the options of the best or the worst setting."""
    setting, searcher = str(line[f"{end}_setting"]), str(line["searcher"])
    return setting.removeprefix(searcher).removeprefix(",") or "defaults"


def _latex(found: pd.DataFrame) -> str:
    rows: list[list[Cell]] = [
        [
            f"{escaped(line['searcher'])}, {escaped(line['dataset'])}",
            str(line["settings"]),
            Value(line["best"], ".2f"),
            Value(line["worst"], ".2f"),
            Value(line["gap"], ".2f", low=line["low"], high=line["high"]),
            f"${p}$" if (p := p_value(line["p"])) != "-" else p,
        ]
        for line in found.to_dict("records")
    ]
    heads = ("", "Settings", "Best", "Worst", "Gap", "p")
    return latex_table(heads, rows, caption=f"{TITLE}.", name="compare-settings", notes=[RULE])
