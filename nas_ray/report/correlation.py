"""How well scores rank archs: correlation with accuracy, what is found at the top, how certain it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import DegenerateDataWarning, bootstrap, kendalltau, rankdata
from sklearn.metrics import ndcg_score

BASELINES = ("params", "flops", "num_conv")
"""Trivial scores that every table shows: a proxy is worth what it adds to them."""

STATISTICS = (
    "spearman",
    "kendall",
    "spearman_top10pct",
    "ndcg",
    "best_of_top1",
    "best_of_top10",
    "best_of_top50",
)
Statistic = Callable[[np.ndarray, np.ndarray], float]


def spearman(scores: np.ndarray, accuracy: np.ndarray) -> float:
    """Returns Spearman's rank correlation of `scores [N]` and `accuracy [N]`; NaN if either is constant."""
    a, b = rankdata(scores), rankdata(accuracy)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else float("nan")


def kendall(scores: np.ndarray, accuracy: np.ndarray) -> float:
    """Returns Kendall's tau-b of `scores [N]` and `accuracy [N]`; NaN if either is constant."""
    return float(kendalltau(rankdata(scores), accuracy).statistic)


def spearman_top(scores: np.ndarray, accuracy: np.ndarray) -> float:
    """Returns Spearman's correlation within the tenth of the archs with the best accuracy."""
    best = np.argsort(-accuracy, kind="stable")[: max(2, len(accuracy) // 10)]
    return spearman(scores[best], accuracy[best])


def ndcg(scores: np.ndarray, accuracy: np.ndarray) -> float:
    """Returns the normalised discounted cumulative gain of the order by score, in 0..1.

    The gain of an arch is its accuracy, scaled so that the worst of the set gains 0 and the best 1; ties in
    the score share the mean of their discounts.
    """
    spread = float(np.ptp(accuracy))
    if len(accuracy) < 2 or spread == 0:
        return float("nan")
    gain = (accuracy - accuracy.min()) / spread
    return float(ndcg_score(gain[None], rankdata(scores)[None]))


def best_of_top(scores: np.ndarray, accuracy: np.ndarray, count: int) -> float:
    """Returns the best accuracy in percent among the `count` archs of highest score (first among equals)."""
    return float(accuracy[np.argsort(-scores, kind="stable")[:count]].max())


def _statistics() -> dict[str, Statistic]:
    def top(count: int) -> Statistic:
        return lambda scores, accuracy: best_of_top(scores, accuracy, count)

    measures = (spearman, kendall, spearman_top, ndcg, top(1), top(10), top(50))
    return dict(zip(STATISTICS, measures, strict=True))


def correlate(
    scores: pd.DataFrame,
    accuracy: Mapping[str, float],
    names: Sequence[str],
    *,
    resamples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Returns one row per score: every statistic with its interval, `NAME`, `NAME_low` and `NAME_high`.

    A score that is undefined for an arch counts as the worst, as in a search; `undefined` says how many there
    are. The interval is the percentile interval over `resamples` draws of the archs with replacement.

    Args:
        scores: one row per arch, with column `arch`, a column per score, and `NAME_seconds` where it
            was measured.
        accuracy: in percent, by arch.
        names: the columns to judge.
        resamples: draws of the bootstrap.
        confidence: of the intervals.
        seed: of the bootstrap.

    Raises:
        ValueError: fewer than ten archs, or an arch without accuracy.
    """
    truth = scores["arch"].map(accuracy).to_numpy(dtype=float)
    if len(truth) < 10 or not np.all(np.isfinite(truth)):
        raise ValueError(
            f"at least 10 archs with known accuracy are needed, got {int(np.isfinite(truth).sum())}."
        )
    rows = []
    for name in names:
        values = scores[name].to_numpy(dtype=float)
        defined = np.isfinite(values)
        values = np.where(defined, values, -np.inf)
        row: dict[str, object] = {"score": name, "archs": len(values), "undefined": int((~defined).sum())}
        for statistic, measure in _statistics().items():
            low, high = _interval(values, truth, measure, resamples, confidence, seed)
            row |= {statistic: measure(values, truth), f"{statistic}_low": low, f"{statistic}_high": high}
        if f"{name}_seconds" in scores:
            row["seconds_per_arch"] = float(scores[f"{name}_seconds"].median())
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(
    values: np.ndarray, truth: np.ndarray, measure: Statistic, resamples: int, confidence: float, seed: int
) -> tuple[float, float]:
    if np.ptp(rankdata(values)) == 0:
        return float("nan"), float("nan")
    with warnings.catch_warnings():  # the same best arch in every draw is a fact, not a fault
        warnings.simplefilter("ignore", DegenerateDataWarning)
        result = bootstrap(
            (values, truth),
            measure,
            paired=True,
            vectorized=False,
            n_resamples=resamples,
            confidence_level=confidence,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def to_markdown(table: pd.DataFrame) -> str:
    """Returns the table of one dataset as Markdown, best Spearman first, intervals in brackets."""
    lines = [
        "| score | Spearman | Kendall | Spearman, top 10 % | nDCG | top 1, 10, 50 | s/arch | undefined |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table.sort_values("spearman", ascending=False, na_position="last").to_dict("records"):
        cells = [f"{row[n]:.3f} [{row[f'{n}_low']:.3f}, {row[f'{n}_high']:.3f}]" for n in STATISTICS[:4]]
        tops = " / ".join(f"{row[n]:.2f}" for n in STATISTICS[4:])
        seconds = row.get("seconds_per_arch", float("nan"))
        lines.append(
            f"| `{row['score']}` | {' | '.join(cells)} | {tops} | {seconds:.3f} | {row['undefined']} |"
        )
    return "\n".join(lines) + "\n"


def draw_bars(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Writes a picture of Spearman's correlation of every score with its interval, a panel per dataset."""
    count = max(len(table) for table in tables.values())
    figure = Figure(figsize=(3.6 * len(tables) + 1.2, 0.27 * count + 1.2), layout="constrained")
    panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    first = next(iter(tables.values()))
    order = first.sort_values("spearman", na_position="first")["score"].tolist()
    for axes, (dataset, table) in zip(panels, tables.items(), strict=True):
        shown = table.set_index("score").loc[order]
        colors = ["#9a9a9a" if name in BASELINES else "#0072B2" for name in order]
        errors = np.abs(shown[["spearman_low", "spearman_high"]].to_numpy().T - shown["spearman"].to_numpy())
        axes.barh(
            order, shown["spearman"], xerr=errors, color=colors, height=0.7, error_kw={"lw": 1, "capsize": 2}
        )
        axes.axvline(0, color="#222222", lw=0.8)
        axes.set_xlabel("Spearman's rank correlation with accuracy")
        axes.set_title(dataset, fontsize=10)
        axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", labelsize=8.5)
    figure.savefig(path, dpi=150, facecolor="white")


def draw_ranks(scores: pd.DataFrame, accuracy: Mapping[str, float], names: Sequence[str], path: Path) -> None:
    """Writes a picture of accuracy against the rank by each score, a panel per score."""
    columns = min(5, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(2.5 * columns, 2.2 * rows + 0.4), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    truth = scores["arch"].map(accuracy).to_numpy(dtype=float)
    for axes, name in zip(panels, names, strict=False):
        values = scores[name].to_numpy(dtype=float)
        place = rankdata(-np.where(np.isfinite(values), values, -np.inf))
        axes.plot(place, truth, ".", markersize=2, color="#0072B2", alpha=0.5)
        axes.set_title(f"{name}  {spearman(-place, truth):.2f}", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    figure.supxlabel("rank by score (1 = best)", fontsize=9)
    figure.supylabel("accuracy in %", fontsize=9)
    figure.savefig(path, dpi=150, facecolor="white")
