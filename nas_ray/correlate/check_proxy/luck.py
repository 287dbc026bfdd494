"""What should decide nothing: the order of images, the draw of weights and images, and rounding."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from scipy import stats

from nas_ray.correlate.check_proxy.pieces import ORDERS, SEEDS, WHOLE
from nas_ray.correlate.check_proxy.subject import (
    DOUBT,
    FAULT,
    FINE,
    NOTE,
    ROUNDING,
    UNKNOWN,
    Finding,
    Subject,
    differences,
    ranked,
)
from nas_ray.report.correlation import spearman
from nas_ray.terminal.text import counted

CHANCE: Final = 0.05
"""How often chance may make archs differ as much before it is said that chance did."""
HALF: Final = 0.5
TENTH: Final = 0.1
SINGLE: Final = 1e-2
"""Relative difference that another order of sums in float32 can make, where a ReLU flips."""


def order(subject: Subject) -> Iterator[Finding]:
    """Whether the order of the images changes a score."""
    base = subject.scores(subject.fewer, images=WHOLE, double=True)
    others = [subject.scores(subject.fewer, images=kind, double=True) for kind in ORDERS]
    limit, archs = ROUNDING, subject.fewer
    if not np.isfinite(base).any():  # it does not work in float64
        limit, archs = SINGLE, subject.fewest
        base = subject.scores(archs)
        others = [subject.scores(archs, images=kind) for kind in ORDERS]
    if not np.isfinite(base).any():
        yield Finding("order of images", UNKNOWN, "No score is finite, so orders cannot be compared.")
        return
    off = np.concatenate([differences(base, other) for other in others])
    worst = float(off.max())
    if worst <= limit:
        yield Finding(
            "order of images",
            FINE,
            f"Another order changes a score by {worst:.1g} of it at most, as rounding does.",
            worst,
        )
        return
    one = next(other for other in others if (differences(base, other) > limit).any())
    place = int(np.argmax(np.where(np.isfinite(base) & np.isfinite(one), np.abs(base - one), 0)))
    ranks = min(spearman(ranked(base), ranked(other)) for other in others)
    said = (
        f"The same images in another order score {one[place]:.6g} instead of {base[place]:.6g}; rank "
        f"correlation of {counted(len(base), 'arch')} between orders {ranks:.2f}."
    )
    if subject.parts:
        said = f"It says that it cuts the minibatch into parts, and so the order makes others. {said}"
    yield Finding("order of images", NOTE if subject.parts else FAULT, said, worst)


def initialisations(subject: Subject) -> Iterator[Finding]:
    """Whether the arch decides, or the luck of its weights."""
    yield from _luck(subject, "initialisations", "init_seed", "weights")


def minibatches(subject: Subject) -> Iterator[Finding]:
    """Whether the arch decides, or the luck of the images."""
    yield from _luck(subject, "minibatches", "batch_seed", "images")


def _luck(subject: Subject, check: str, seed: str, what: str) -> Iterator[Finding]:
    if subject.constant:
        return
    table = subject.table(subject.few, **{seed: SEEDS})
    table = table[:, np.isfinite(table).all(axis=0)]
    if table.shape[1] < 3:
        yield Finding(check, UNKNOWN, "Fewer than three archs have scores with every seed.")
        return
    if all((differences(table[0], other) <= ROUNDING).all() for other in table[1:]):
        yield Finding(check, FINE, f"It does not depend on the {what}.", 1.0)
        return
    pairs = [spearman(one, other) for one, other in itertools.combinations(table, 2)]
    share, chance = explained(table)
    words = (
        f"Rank correlation between {check} {np.nanmean(pairs):+.2f}; {max(0.0, share):.0%} of the variance "
        f"of ranks is between archs ({counted(table.shape[1], 'arch')}, {len(table)} seeds)."
    )
    if chance > CHANCE:
        often = f"chance makes archs differ as much in {chance:.0%} of cases"
        said = f"The {what} decide and not the arch: {often}."
        yield Finding(check, FAULT, f"{said} {words}", share)
    elif share < HALF:
        said = f"The luck of the {what} decides more than the arch; take the mean over several seeds."
        yield Finding(check, DOUBT, f"{said} {words}", share)
    else:
        yield Finding(check, FINE, words, share)


def explained(table: np.ndarray) -> tuple[float, float]:
    """Returns the share of the variance of ranks that is between archs, and how often chance makes as much.

    The share is the intraclass correlation of one seed; the other the tail of F of an analysis of variance.

    Args:
        table: finite scores `[seeds, archs]`.
    """
    ranks = stats.rankdata(table).reshape(table.shape)
    seeds, archs = len(table), table.shape[1]
    between = seeds * float(np.var(ranks.mean(axis=0), ddof=1))
    within = float(np.sum((ranks - ranks.mean(axis=0)) ** 2)) / (archs * (seeds - 1))
    if within == 0:
        return 1.0, 0.0
    share = (between - within) / (between + (seeds - 1) * within)
    return share, float(stats.f.sf(between / within, archs - 1, archs * (seeds - 1)))


def precision(subject: Subject) -> Iterator[Finding]:
    """Whether float32 is enough."""
    single = subject.scores(subject.fewer)
    double = subject.scores(subject.fewer, images=WHOLE, double=True)
    if not np.isfinite(double).any():
        yield Finding(
            "precision", UNKNOWN, "No score is finite in float64, so there is nothing to compare with."
        )
        return
    lost = int((np.isfinite(double) & ~np.isfinite(single)).sum())
    if lost:
        said = f"{lost} of {counted(len(single), 'score')} are finite in float64 alone: float32 overflows."
        yield Finding("precision", FAULT, said, lost)
        return
    both = np.isfinite(single) & np.isfinite(double)
    pairs = list(itertools.combinations(np.flatnonzero(both), 2))
    swapped = sum(np.sign(single[a] - single[b]) * np.sign(double[a] - double[b]) < 0 for a, b in pairs)
    off = float(differences(single[both], double[both]).max(initial=0.0))
    words = f"float32 differs from float64 by {off:.1g} of a score at most"
    if pairs and swapped > TENTH * len(pairs):
        said = f"{words}, and orders {swapped} of {len(pairs)} pairs of archs otherwise; compute in float64."
        yield Finding("precision", DOUBT, said, off)
    else:
        yield Finding("precision", FINE, f"{words}.", off)


CHECKS: Sequence[Callable[[Subject], Iterator[Finding]]] = (order, precision, initialisations, minibatches)
