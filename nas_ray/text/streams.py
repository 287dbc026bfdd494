"""A text as streams that are read side by side, piece by piece, so that a net may carry its state on."""

from __future__ import annotations

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.text.vocabulary import Tokens

SHORTEST, SPREAD, HALVED, MORE = 5, 5.0, 0.05, 20
"""Of drawn lengths: the shortest, their standard deviation, how often half of the usual length is drawn, and
by how many tokens one may be longer."""
FEWEST = 2
"""Tokens of a stream: one that is read, and the next one, which is to be told."""


def streams(tokens: Tokens, count: int, what: str = "A text") -> Tokens:
    """Returns tokens `[N]` as `[count, N // count]`, each row what follows in the text; the rest is left out.

    Args:
        tokens: of one part.
        count: streams that are read side by side.
        what: the part, for people.

    Raises:
        UsageError: the text is shorter than a batch.
    """
    length = len(tokens) // count
    if length < FEWEST:
        raise UsageError(
            f"{what} must have at least {FEWEST} tokens for each of {count:,} streams, which a batch reads "
            f"side by side, but it has {len(tokens):,} in all; give more text or a smaller batch_size."
        )
    return tokens[: count * length].reshape(count, length)


def fixed_lengths(total: int, bptt: int) -> list[int]:
    """Returns the lengths of the pieces of `total` tokens, all `bptt` but the last."""
    return [min(bptt, total - start) for start in range(0, total, bptt)]


def drawn_lengths(total: int, bptt: int, rng: np.random.Generator) -> list[int]:
    """Returns the random lengths of the pieces of `total` tokens of a stream, in which an epoch reads it.

    Each is normal around `bptt`, or with a chance of 0.05 around half of it, with a standard deviation of 5,
    at least 5 and at most `bptt + 20`; the last has what is left.

    Source: Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language Models", ICLR 2018, and
    the released code of DARTS, which adds the upper end.
    Differs: a last piece of one token is read too.
    """
    lengths: list[int] = []
    left = total
    while left > 0:
        mean = bptt if rng.random() < 1 - HALVED else bptt / 2
        drawn = min(max(SHORTEST, int(rng.normal(mean, SPREAD))), bptt + MORE)
        lengths.append(min(drawn, left))
        left -= drawn
    return lengths
