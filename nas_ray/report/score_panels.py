"""Interactive figures of archs: scores against accuracy, the Pareto front, skip connections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nas_ray.report.correlation import FEWEST, kendall, spearman
from nas_ray.report.cost import COSTS, op_counts
from nas_ray.report.kinds import Kind
from nas_ray.report.magnitudes import spans_magnitudes
from nas_ray.report.panels import (
    MOST_POINTS,
    POINTS_OF_PAGE,
    KeyEntry,
    Panel,
    accuracy_label,
    new_plot,
    numbers,
    points,
    said_sample,
    sample,
    shown,
)
from nas_ray.rows import final_archs

UNITS = {"params": "parameters", "flops": "multiply-adds of one image"}
PALE = "#a9b0ba"
TOP = 10
"""The top is one arch in so many."""


def archs_of(kind: Kind) -> pd.DataFrame:
    """Returns the different archs of each run of a kind, one run after the other."""
    return pd.concat([run.distinct for run in kind.runs], ignore_index=True)


def rank_table(kinds: Sequence[Kind]) -> pd.DataFrame:
    """Returns Spearman and Kendall of every score and the fitness with accuracy, for each kind.

    Columns: `kind`, `score`, `archs`, `undefined`, `spearman`, `kendall`. Over the archs with known accuracy;
    a score that is undefined counts as the worst; NaN for fewer than five archs. A kind of several runs has
    the median over its runs, as fitness is relative to a run and seeds change scores.
    """
    table = []
    for kind in kinds:
        for name in dict.fromkeys([*kind.runs[0].scores, "fitness"]):
            rows = [_ranks(run.distinct, name) for run in kind.runs]
            medians = pd.DataFrame(rows)[["spearman", "kendall"]].median()
            counts = pd.DataFrame(rows)[["archs", "undefined"]].sum()
            table.append({"kind": kind.label, "score": name, **counts.to_dict(), **medians.to_dict()})
    return pd.DataFrame(table)


def _ranks(rows: pd.DataFrame, name: str) -> dict[str, float]:
    known = rows[np.isfinite(rows["accuracy"])]
    scores, truth = known[name].to_numpy(dtype=float), known["accuracy"].to_numpy(dtype=float)
    defined = np.isfinite(scores)
    scores = np.where(defined, scores, -np.inf)
    enough = len(truth) >= FEWEST and scores.min() < scores.max()
    found = (spearman(scores, truth), kendall(scores, truth)) if enough else (np.nan, np.nan)
    return {
        "archs": len(truth),
        "undefined": int((~defined).sum()),
        "spearman": found[0],
        "kendall": found[1],
    }


def score_panels(kinds: Sequence[Kind], ranks: pd.DataFrame) -> list[Panel]:
    """Returns a scatter of accuracy against each score, all kinds in one."""
    known = {kind.label: archs_of(kind) for kind in kinds}
    known = {label: rows[np.isfinite(rows["accuracy"])] for label, rows in known.items()}
    names = list(dict.fromkeys(name for kind in kinds for name in kind.runs[0].scores))
    most = min(MOST_POINTS, POINTS_OF_PAGE // max(1, len(names)))
    panels = []
    for name in names:
        having = [kind for kind in kinds if name in kind.runs[0].scores and len(known[kind.label])]
        if having:
            tables = {kind.label: known[kind.label] for kind in having}
            panels.append(_score_panel(name, having, tables, ranks[ranks["score"] == name], most))
    return panels


def _score_panel(
    name: str, kinds: Sequence[Kind], tables: dict[str, pd.DataFrame], ranks: pd.DataFrame, most: int
) -> Panel:
    plot = new_plot(name, accuracy_label(kinds))
    drawn, values = 0, []
    for kind in kinds:
        rows = sample(tables[kind.label], max(50, most // len(kinds)))
        drawn += len(rows)
        plot.add_trace(points(rows, name, "accuracy", label=kind.label, color=kind.color))
        values.append(rows[name].to_numpy(dtype=float))
    finite = np.concatenate(values)
    finite = finite[np.isfinite(finite)]
    zeros, unseen = int((finite == 0).sum()), ""
    if spans_magnitudes(finite[finite != 0]):
        plot.update_xaxes(type="log", exponentformat="power")
        unseen = f" Not drawn: {zeros:,} of score 0." if zeros else ""
    found = ranks.set_index("kind")["spearman"]
    said = [
        f"{label + ': ' if len(kinds) > 1 else ''}{found[label]:.3f}" for label in tables if label in found
    ]
    total = sum(map(len, tables.values()))
    caption = f"Spearman's rank correlation with accuracy: {'; '.join(said)}."
    return Panel(name, caption.replace("nan", "unknown") + unseen + said_sample(drawn, total), plot)


def pareto_front(cost: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Returns the positions of the archs that no other dominates, by rising `cost [N]` (less is better).

    Larger `value [N]` is better; of equals the first is kept, and what is not finite never counts.
    """
    finite = np.flatnonzero(np.isfinite(cost) & np.isfinite(value))
    order = finite[np.lexsort((finite, -value[finite], cost[finite]))]
    best = np.maximum.accumulate(np.concatenate([[-np.inf], value[order]]))
    front: np.ndarray = order[value[order] > best[:-1]]
    return front


def pareto_panels(kinds: Sequence[Kind]) -> list[Panel]:
    """Returns accuracy, else fitness, against parameters and multiply-adds, with the front."""
    tables = {kind.label: archs_of(kind) for kind in kinds}
    known = any(np.isfinite(rows["accuracy"]).any() for rows in tables.values())
    if not known and len({str(run.fitness) for kind in kinds for run in kind.runs}) > 1:
        return []
    value = "accuracy" if known else "fitness"
    label = accuracy_label(kinds) if known else str(kinds[0].runs[0].fitness)
    panels = []
    for cost in COSTS:
        having = [
            kind for kind in kinds if cost in tables[kind.label] and tables[kind.label][cost].notna().any()
        ]
        if having:
            panels.append(_pareto_panel(having, tables, cost, value, label))
    return panels


def _pareto_panel(
    kinds: Sequence[Kind], tables: dict[str, pd.DataFrame], cost: str, value: str, label: str
) -> Panel:
    plot, drawn, total = new_plot(UNITS[cost], label), 0, 0
    for kind in kinds:
        rows = tables[kind.label]
        some = sample(rows, MOST_POINTS // len(kinds))
        drawn, total = drawn + len(some), total + len(rows)
        plot.add_trace(points(some, cost, value, label=kind.label, color=kind.color))
        front = rows.iloc[pareto_front(rows[cost].to_numpy(dtype=float), rows[value].to_numpy(dtype=float))]
        line = points(front, cost, value, label=f"front of {kind.label}", color=kind.color)
        line.update(mode="lines+markers", line={"shape": "hv", "color": kind.color, "dash": kind.dash})
        line.update(marker={"size": 7, "opacity": 1})
        plot.add_trace(line)
    caption = "The line is the front: no other arch is both cheaper and better than one on it." + said_sample(
        drawn, total
    )
    return Panel(f"{value.capitalize()} against {UNITS[cost]}", caption, plot)


def skip_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns how many percent of all archs, and of the top tenth, have each number of skip connections.

    Columns: `skips`, `all`, `top`. Empty where no arch is of NATS-TSS. The top tenth is by fitness.
    """
    skips = op_counts(final_archs(rows), "skip_connect")
    fitness = rows["fitness"].to_numpy(dtype=float)
    good = rows[np.isfinite(fitness) & skips.notna()].sort_values("fitness", ascending=False, kind="stable")
    top = skips.loc[good.index[: max(1, len(good) // TOP)]]
    most = skips.max()
    numbers_of = np.arange(0 if np.isnan(most) else int(most) + 1)  # none where no arch has a cell
    shares = {
        name: [100 * float((counts == number).mean()) if len(counts) else 0.0 for number in numbers_of]
        for name, counts in (("all", skips.dropna()), ("top", top))
    }
    return pd.DataFrame({"skips": numbers_of, **shares})


def skip_panels(kinds: Sequence[Kind]) -> list[Panel]:
    """Returns a histogram of skip connections in all archs and in their top tenth, for each kind."""
    panels = []
    for kind in kinds:
        table = pd.concat([skip_shares(run.distinct) for run in kind.runs]).fillna(0.0)
        table = table.groupby("skips", as_index=False).sum()
        if table.empty:
            continue
        plot = new_plot("skip connections in the cell", "share of archs (%)", height=280)
        bars = (("all", "evaluated", PALE), ("top", "top tenth by fitness", kind.color))
        for name, words, color in bars:
            shares = numbers(table[name] / len(kind.runs))
            plot.add_trace(go.Bar(x=table["skips"].tolist(), y=shares, name=shown(words), marker_color=color))
        plot.update_layout(barmode="group", bargap=0.25)
        plot.update_xaxes(dtick=1)
        mean = " Means over the runs of this kind." if len(kind.runs) > 1 else ""
        key = tuple(KeyEntry(words, color, "bar") for _, words, color in bars)
        panels.append(Panel(f"Skip connections: {kind.label}", f"Different archs.{mean}", plot, key))
    return panels
