"""What scores say beyond the size of archs: concordance of pairs of one size, and partial correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from nas_ray.terminal.ranges import DRAWN_AT_ONCE

NINE, TEN = 9, 10
"""Two archs are of one size if the smaller has more than nine tenths of the parameters of the larger."""

ROWS = 256
"""Archs whose pairs are looked at together."""

SPENT = 1e-9
"""The share of the variance of ranks below which nothing is left of them but rounding."""

GIVEN = ("live_ops", "params")
"""The baselines that a partial correlation can be given; the first that a table of scores has."""


@dataclass(frozen=True)
class Baselines:
    """What is known of archs without a score.

    Attributes:
        params: numbers of parameters `[N]`, None where some are not known.
        name: of `given`, one of `GIVEN`; None where neither is known.
        given: what a partial correlation is given `[N]`.
    """

    params: np.ndarray | None
    name: str | None
    given: np.ndarray | None


def baselines_of(scores: pd.DataFrame) -> Baselines:
    """Returns the baselines among the columns of `scores`, those with a number for each arch."""
    columns = {name: scores[name].to_numpy(dtype=float) for name in GIVEN if name in scores}
    known = {name: values for name, values in columns.items() if np.isfinite(values).all()}
    name = next((name for name, values in known.items() if np.ptp(values) > 0), None)
    return Baselines(known.get("params"), name, None if name is None else known[name])


def concordance(scores: np.ndarray, accuracy: np.ndarray, params: np.ndarray) -> float:
    """Returns the share of concordant minus that of discordant pairs, among pairs of archs of one size.

    Two archs are of one size if their parameters differ by less than a tenth of the larger number. A pair
    that is equal in score or accuracy is in the number of pairs alone. NaN where there is no such pair.

    Args:
        scores: of archs `[N]`, -inf for the worst.
        accuracy: of archs `[N]`.
        params: numbers of parameters `[N]`, whole.
    """
    return float(weighed_concordance(scores, accuracy, params, np.ones((1, len(scores)), np.float32))[0])


def concordance_interval(
    scores: np.ndarray,
    accuracy: np.ndarray,
    params: np.ndarray,
    resamples: int,
    confidence: float,
    seed: int,
) -> tuple[float, float]:
    """Returns the percentile interval of `concordance` over draws of the archs with replacement.

    An arch that is drawn twice makes no pair with itself. NaN where no draw has a pair.
    """
    rng, size = np.random.default_rng(seed), len(scores)
    at_once = max(1, DRAWN_AT_ONCE // size)
    found = []
    for first in range(0, resamples, at_once):
        draws = min(at_once, resamples - first)
        drawn = rng.integers(size, size=(draws, size)) + size * np.arange(draws)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size)
        found.append(weighed_concordance(scores, accuracy, params, counts.astype(np.float32)))
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def weighed_concordance(
    scores: np.ndarray, accuracy: np.ndarray, params: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Returns `concordance` where arch i is there `counts[:, i]` times, `[draws]`; without pairs with itself.

    In the order of parameters the partners of an arch stand side by side, so only a band of the square of all
    pairs is made, a few archs at a time.

    Args:
        scores: of archs `[N]`.
        accuracy: of archs `[N]`.
        params: numbers of parameters `[N]`.
        counts: `[draws, N]`, float32.
    """
    order = np.argsort(params, kind="stable")
    params, counts = params[order], counts[:, order]
    scores, accuracy = (np.unique(one, return_inverse=True)[1][order] for one in (scores, accuracy))
    ends = np.searchsorted(NINE * params, TEN * params, side="left")
    until = np.pad(np.cumsum(counts, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    pairs = np.einsum("dn,dn->d", counts, until[:, ends] - until[:, 1:], dtype=np.float64)
    agreeing = np.zeros(len(counts))
    for first in range(0, len(params), ROWS):
        rows = slice(first, min(first + ROWS, len(params)))
        there = slice(first, ends[rows.stop - 1])
        own, others = np.arange(rows.start, rows.stop)[:, None], np.arange(there.start, there.stop)
        close = (others > own) & (others < ends[rows, None])
        signs = np.sign(scores[there] - scores[rows, None]) * np.sign(accuracy[there] - accuracy[rows, None])
        reached = counts[:, rows] @ (signs * close).astype(np.float32)
        agreeing += np.einsum("dn,dn->d", reached, counts[:, there], dtype=np.float64)
    return np.asarray(np.divide(agreeing, pairs, out=np.full(len(counts), np.nan), where=pairs > 0))


def partial(scores: np.ndarray, accuracy: np.ndarray, given: np.ndarray) -> float:
    """Returns Spearman's partial correlation of `scores [N]` and `accuracy [N]` given `given [N]`.

    What of the ranks of one a straight line in the ranks of `given` does not tell is correlated with what it
    does not tell of the other. NaN where nothing is left of one of them.

    Source: Kendall, "Partial Rank Correlation", Biometrika 1942, for tau; here of Spearman's rho.
    """
    ranks = (rankdata(one) for one in (scores, accuracy, given))
    a, b, c = (rank - rank.mean() for rank in ranks)
    spread = float(np.sqrt((a @ a) * (b @ b)))
    aa, bb, cc, ab, ac, bc = a @ a, b @ b, c @ c, a @ b, a @ c, b @ c
    if spread == 0:
        return float("nan")
    if cc > 0:
        ab, aa, bb = ab - ac * bc / cc, aa - ac**2 / cc, bb - bc**2 / cc
    if min(aa / (a @ a), bb / (b @ b)) < SPENT:
        return float("nan")
    return float(ab / np.sqrt(aa * bb))
