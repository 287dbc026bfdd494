"""When a search ends before its last epoch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

MOST_SKIPS = 2
"""Skip connections of the first cell at which DARTS+ stops."""
WINDOW, RATIO = 5, 0.75
"""Epochs of a mean and of the look back, and the ratio of means below which R-DARTS stops."""

Kept = tuple[Tensor, ...]


def has_many_skips(skips: int) -> bool:
    """Returns whether a search ends, by the skip connections of the first cell of its arch.

    Source: Liang et al., "DARTS+: Improved Differentiable Architecture Search with Early Stopping", arXiv
    1909.06035, criterion 1.
    Differs: criterion 2, by which a search ends once ranks stay, is not there.
    """
    return skips >= MOST_SKIPS


def back_to(eigenvalues: Sequence[float]) -> int | None:
    """Returns the epoch whose parameters count, if the search ends after these `eigenvalues`; else None.

    It ends when the mean of the last five eigenvalues is more than 4/3 of the mean five epochs before, and
    goes back these five epochs.

    Source: Zela et al., "Understanding and Robustifying Differentiable Architecture Search", ICLR 2020,
    section 4.3 (DARTS-ES).
    Differs: none known.
    """
    last = len(eigenvalues) - 1
    before = last - WINDOW
    if before + 1 < WINDOW:
        return None
    now, then = _mean(eigenvalues, last), _mean(eigenvalues, before)
    return before if now > 0 and then / now < RATIO else None


def _mean(values: Sequence[float], last: int) -> float:
    return sum(values[last - WINDOW + 1 : last + 1]) / WINDOW
