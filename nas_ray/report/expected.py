"""What random search is expected to reach on a benchmark, computed exactly from its table."""

from __future__ import annotations

import numpy as np

ORACLE_SAYS = "The oracle is told the final accuracy of every arch, which no search knows before training."
ORACLE = (
    "Oracle random search draws as many different archs at random and is told their final accuracy, which no "
    "search knows before training; drawn is what its best is expected to have."
)


def expected_best(accuracies: np.ndarray, num_draws: int, *, replace: bool) -> float:
    """Returns the exact expected maximum accuracy of `num_draws` archs drawn uniformly, in percent.

    That is a random search which picks by this very accuracy, as only an oracle can: the strongest random
    search of its size. With the accuracies sorted as `x_1 <= ... <= x_N`, the k-th is the maximum of n draws
    with probability `C(k - 1, n - 1) / C(N, n)` without replacement and `(k / N)^n - ((k - 1) / N)^n` with.

    Args:
        accuracies: `[N]` accuracy of every arch of the benchmark.
        num_draws: n, size of the random search; without replacement, more than N draws are N draws.
        replace: whether an arch may be drawn twice.

    Raises:
        ValueError: no accuracies, one of them is not finite, or fewer than one draw.

    Source: David and Nagaraja, "Order Statistics", 3rd edition, 2003, sections 2.1 and 3.7.
    Differs: binomials and powers are evaluated as logarithms, so that N = 15,625 does not overflow.
    """
    ordered = np.sort(_checked(accuracies))
    if num_draws < 1:
        raise ValueError(f"num_draws must be at least 1, got {num_draws}.")
    if not replace and num_draws >= len(ordered):
        return float(ordered[-1])
    weights = _with_replacement(len(ordered), num_draws) if replace else _without(len(ordered), num_draws)
    # Offsets from the maximum: equal accuracies give exactly that accuracy, whatever the rounding of the
    # weights.
    return float(ordered[-1] - weights @ (ordered[-1] - ordered))


def expected_random_arch(accuracies: np.ndarray) -> float:
    """Returns the expected accuracy of one arch drawn uniformly, in percent: search without information.

    Raises:
        ValueError: no accuracies, or one of them is not finite.
    """
    return float(np.mean(_checked(accuracies)))


def _checked(accuracies: np.ndarray) -> np.ndarray:
    values = np.asarray(accuracies, dtype=float)
    if values.ndim != 1 or not len(values) or not np.all(np.isfinite(values)):
        raise ValueError(
            f"accuracies must be a non-empty list of finite numbers, got {np.asarray(accuracies)!r}."
        )
    return values


def _without(size: int, draws: int) -> np.ndarray:
    """Returns `[N]` probabilities that the k-th smallest is the maximum of a subset of n: hypergeometric."""
    from scipy.special import gammaln  # half a second that commands which draw nothing need not wait for

    k = np.arange(draws, size + 1)
    logs = gammaln(k) - gammaln(k - draws + 1)  # log C(k - 1, n - 1), up to a constant
    weights = np.exp(logs - logs[-1])
    return np.concatenate([np.zeros(draws - 1), weights / weights.sum()])


def _with_replacement(size: int, draws: int) -> np.ndarray:
    """Returns `[N]` probabilities that the k-th smallest is the maximum of n independent draws."""
    k = np.arange(1, size + 1)
    with np.errstate(divide="ignore"):  # k = 1: nothing is smaller, log 0 = -inf, probability 0
        smaller = draws * np.log((k - 1) / k)
    weights: np.ndarray = -np.exp(draws * np.log(k / size)) * np.expm1(smaller)
    return weights
