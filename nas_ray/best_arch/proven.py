"""The best arch of a space by a sum of two terms, of which the dear one is computed for few archs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

AT_ONCE = 8
"""Archs whose dear term is asked for at once."""


@dataclass(frozen=True)
class Proof:
    """The best arch, and what shows that no other is better.

    Attributes:
        arch: the best.
        score: its score, at least.
        margin: by how much it is ahead of every other, at least; both divided by the same M.
        values: the dear term of the archs for which it was computed, in that order.
    """

    arch: str
    score: float
    margin: float
    values: dict[str, float]


def prove_best(
    rest: Mapping[str, float],
    ceiling: Mapping[str, float],
    evaluate: Callable[[Sequence[str]], Mapping[str, float]],
    *,
    at_once: int = AT_ONCE,
) -> Proof:
    """Returns the arch with the largest `value / M + rest`, M being the largest value of all archs.

    Values are asked for in the order of `rest`. M is at least the largest known value and at most the largest
    ceiling of those unknown; the best known arch is the best of all as soon as it beats what each unknown one
    could have, for every M between these.

    Args:
        rest: the cheap term of every arch.
        ceiling: a proven upper bound on the value of every arch, positive.
        evaluate: returns values of some archs; one that is not positive loses to all that are.
        at_once: archs to ask for at once.

    Raises:
        ValueError: there are no archs, or none has a positive value.
    """
    if not rest:
        raise ValueError("The best arch needs at least one arch to choose from.")
    waiting = sorted(rest, key=lambda arch: -rest[arch])
    values: dict[str, float] = {}
    while waiting:
        asked, waiting = waiting[:at_once], waiting[at_once:]
        values.update(evaluate(asked))
        proof = _check(rest, ceiling, values, waiting)
        if proof is not None:
            return proof
    raise ValueError("The best arch needs at least one arch with a positive value.")


def _check(
    rest: Mapping[str, float],
    ceiling: Mapping[str, float],
    values: dict[str, float],
    waiting: Sequence[str],
) -> Proof | None:
    """Returns the proof if what is known suffices."""
    known = {arch: value for arch, value in values.items() if value > 0}
    if not known:
        return None
    least = max(known.values())
    most = max([least, *(ceiling[arch] for arch in waiting)])
    first, second = (max(known, key=lambda arch: known[arch] / m + rest[arch]) for m in (least, most))
    score = known[first] / most + rest[first]
    ahead = [  # linear in 1 / M, so smallest at one end
        (known[first] - known[arch]) / m + rest[first] - rest[arch]
        for arch in known
        if arch != first
        for m in (least, most)
    ]
    unknown = [min(1.0, ceiling[arch] / least) + rest[arch] for arch in waiting]
    if first != second or (unknown and max(unknown) >= score):
        return None
    ahead += [score - bound for bound in unknown]
    return Proof(first, score, min(ahead, default=float("inf")), values)
