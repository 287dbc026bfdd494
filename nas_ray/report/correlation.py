"""How well scores rank archs: correlation with accuracy, what is found at the top, how certain it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import DegenerateDataWarning, bootstrap, kendalltau, rankdata
from sklearn.metrics import ndcg_score

from nas_ray.report.same_size import (
    Baselines,
    baselines_of,
    concordance,
    concordance_interval,
    partial,
)  # fmt: skip
from nas_ray.rows import final_archs
from nas_ray.terminal.ranges import DRAWN_AT_ONCE
from nas_ray.terminal.text import code_span, one_line, table_cell

BASELINES = ("params", "flops", "num_conv", "live_ops", "log_width")
"""Trivial scores that every table shows where the space has them: a proxy is worth what it adds to them."""

RANKS = ("spearman", "kendall", "spearman_top10pct", "ndcg")
CONTROLLED = ("same_size", "partial")
"""Statistics of what a score says beyond size; they need baselines among the scores."""
TOPS = ("best_of_top1", "best_of_top10", "best_of_top50")
STATISTICS = (*RANKS, *CONTROLLED, *TOPS)
FEWEST = 5
"""Archs whose order means anything."""

Statistic = Callable[..., float]
"""Of scores `[N]` and accuracies `[N]`, and for `partial` of what is given `[N]`."""


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
    """Returns Spearman's correlation within the best tenth of the archs by accuracy; NaN if these are few."""
    best = np.argsort(-accuracy, kind="stable")[: len(accuracy) // 10]
    return spearman(scores[best], accuracy[best]) if len(best) >= FEWEST else float("nan")


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
    """Returns the best accuracy in percent among the `count` archs of highest score (first among equals).

    NaN if that is every arch, whatever the score.
    """
    if count >= len(scores):
        return float("nan")
    return float(accuracy[np.argsort(-scores, kind="stable")[:count]].max())


def _statistics() -> dict[str, Statistic]:
    def top(count: int) -> Statistic:
        return lambda scores, accuracy: best_of_top(scores, accuracy, count)

    measures = (spearman, kendall, spearman_top, ndcg, top(1), top(10), top(50))
    return dict(zip((*RANKS, *TOPS), measures, strict=True))


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

    `same_size` is the concordance of pairs of one size, where `params` is among the scores; `partial` the
    partial correlation given `live_ops`, or where that is not there `params`, as `partial_given` says.

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
    truth = final_archs(scores).map(accuracy).to_numpy(dtype=float)
    if len(truth) < 10 or not np.all(np.isfinite(truth)):
        raise ValueError(
            f"at least 10 archs with known accuracy are needed, got {int(np.isfinite(truth).sum())}."
        )
    rows, baselines = [], baselines_of(scores)
    for name in names:
        values = scores[name].to_numpy(dtype=float) if name in scores else np.full(len(truth), np.nan)
        defined = np.isfinite(values)
        values = np.where(defined, values, -np.inf)
        row: dict[str, object] = {"score": name, "archs": len(values), "undefined": int((~defined).sum())}
        for statistic, measure in _statistics().items():
            low, high = interval(values, truth, measure, resamples, confidence, seed)
            value = measure(values, truth) if values.min() < values.max() else float("nan")
            row |= {statistic: value, f"{statistic}_low": low, f"{statistic}_high": high}
        row |= _controlled(values, truth, baselines, resamples, confidence, seed)
        if f"{name}_seconds" in scores:
            row["seconds_per_arch"] = float(scores[f"{name}_seconds"].astype(float).median())
        rows.append(row)
    return pd.DataFrame(rows)


def _controlled(
    values: np.ndarray,
    truth: np.ndarray,
    baselines: Baselines,
    resamples: int,
    confidence: float,
    seed: int,
) -> dict[str, object]:
    """Returns what a score says beyond size, with intervals, as columns; NaN where it cannot be said."""
    row: dict[str, object] = dict.fromkeys(
        [f"{name}{end}" for name in CONTROLLED for end in ("", "_low", "_high")], float("nan")
    )
    row["partial_given"] = baselines.name
    if values.min() == values.max():
        return row
    found: dict[str, tuple[float, float, float]] = {}
    if baselines.params is not None:
        known = (values, truth, baselines.params)
        found["same_size"] = (
            concordance(*known),
            *concordance_interval(*known, resamples=resamples, confidence=confidence, seed=seed),
        )
    if baselines.given is not None:
        value = partial(values, truth, baselines.given)
        found["partial"] = (
            value,
            *interval(values, truth, partial, resamples, confidence, seed, baselines.given),
        )
    for name, (value, low, high) in found.items():
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return row


def interval(
    values: np.ndarray,
    truth: np.ndarray,
    measure: Statistic,
    resamples: int,
    confidence: float,
    seed: int,
    *given: np.ndarray,
) -> tuple[float, float]:
    """Returns the percentile interval of a statistic over draws of the archs with replacement.

    NaN where the scores are all equal, or the statistic is not defined.

    Args:
        values: scores `[N]`.
        truth: accuracies `[N]`.
        measure: of both, and of what is given.
        resamples: draws.
        confidence: of the interval.
        seed: of the draws.
        given: what the statistic takes besides, each `[N]`.
    """
    if values.min() == values.max() or np.isnan(measure(values, truth, *given)):
        return float("nan"), float("nan")
    with warnings.catch_warnings():  # the same best arch in every draw is a fact, not a fault
        warnings.simplefilter("ignore", DegenerateDataWarning)
        result = bootstrap(
            (values, truth, *given),
            measure,
            paired=True,
            vectorized=False,
            n_resamples=resamples,
            confidence_level=confidence,
            method="percentile",
            batch=max(1, DRAWN_AT_ONCE // len(values)),
            rng=np.random.default_rng(seed),
        )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def to_markdown(table: pd.DataFrame, title: str) -> str:
    """Returns the table of one dataset as Markdown, best Spearman first, intervals in brackets."""
    beyond = heads_of_controlled(table)
    heads = ["score", "Spearman", "Kendall", "Spearman in the top 10 %", "nDCG", *beyond.values()]
    heads += ["best % of the top 1, 10, 50", "s/arch", "undefined"]
    lines = [f"{one_line(title)}\n", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in table.sort_values("spearman", ascending=False, na_position="last").to_dict("records"):
        cells = [_with_interval(row, name, ".3f") for name in (*RANKS, *beyond)]
        tops = " / ".join(_with_interval(row, name, ".2f") for name in TOPS)
        seconds = number(row.get("seconds_per_arch", float("nan")), ".2g")
        score = table_cell(code_span(row["score"]))
        lines.append(f"| {score} | {' | '.join(cells)} | {tops} | {seconds} | {row['undefined']} |")
    return "\n".join(lines) + "\n"


def heads_of_controlled(table: pd.DataFrame) -> dict[str, str]:
    """Returns the columns of `CONTROLLED` that hold anything, and what they are called."""
    given = next((name for name in table.get("partial_given", ()) if isinstance(name, str)), "")
    heads = {"same_size": "same size", "partial": f"given {given}"}
    return {name: head for name, head in heads.items() if name in table and table[name].notna().any()}


def _with_interval(row: Mapping[Hashable, Any], name: str, form: str) -> str:
    low, high = (number(row[f"{name}_{end}"], form) for end in ("low", "high"))
    return number(row[name], form) + (f" [{low}, {high}]" if low != "-" else "")


def number(value: float, form: str = ".3f") -> str:
    """Returns `value` as text, a dash where it is undefined."""
    return "-" if np.isnan(value) else format(value, form)
