"""In how many units images agree: exact counts, by the product that is fastest on the processor at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

Multiply = Callable[[Tensor, Tensor], Tensor]
"""From `A [m, units]` and `B [n, units]` to `A B^T`."""

LARGE = 2**16
"""Entries from which half of a product is worth two calls."""

EXACT_IN_FLOAT32 = 2**24
"""Integers up to this size, and so counts of units, are exact in float32."""


def agreement(activations: Tensor) -> Tensor:
    """Returns `[B, B]`, float64: in how many units each two of `[B, ...]` have the same sign pattern.

    With C in {0, 1} of n units, `C C^T + (1 - C)(1 - C)^T = n - r_i - r_j + 2 C C^T`, where the row sums r
    are the diagonal of `C C^T`: one matrix product of whole numbers, exact in any kind of number.
    """
    last = activations.dim() == 4 and activations.is_contiguous(memory_format=torch.channels_last)
    rows = (activations.movedim(1, -1) if last else activations).flatten(1)  # units in the order of memory
    kind = torch.int8 if rows.is_cpu and bytes_are_faster() else torch.float32
    active = torch.gt(rows, 0, out=torch.empty_like(rows, dtype=kind))
    both = sum(product(part) for part in torch.split(active, EXACT_IN_FLOAT32, dim=1))
    assert isinstance(both, Tensor)
    own = both.diagonal()
    return rows.shape[1] - own[:, None] - own[None, :] + 2 * both


def product(active: Tensor) -> Tensor:
    """Returns `C C^T` in float64 for `C [B, units]` of 0 and 1, as bytes or in float32."""
    multiply = of_bytes if active.dtype == torch.int8 else of_floats
    with torch.autocast(active.device.type, enabled=False):  # counts do not fit into bfloat16
        large = active.is_cpu and active.numel() >= LARGE
        both = in_halves(active, multiply) if large else multiply(active, active)
    return both.double()


def in_halves(active: Tensor, multiply: Multiply) -> Tensor:
    """Returns `C C^T` with the agreement of the first half of the images with the second computed once."""
    half = len(active) // 2
    upper = multiply(active[:half], active)
    both = upper.new_empty(len(active), len(active))
    both[:half] = upper
    both[half:, :half] = upper[:, half:].T
    both[half:, half:] = multiply(active[half:], active[half:])
    return both


def of_bytes(some: Tensor, others: Tensor) -> Tensor:
    """Returns `A B^T` in int32, of bytes."""
    return torch._int_mm(some, others.T)


def of_floats(some: Tensor, others: Tensor) -> Tensor:
    """Returns `A B^T` in float32."""
    return some @ others.T


@cache
def bytes_are_faster() -> bool:
    """Returns whether this processor multiplies bytes faster than floats, measured once.

    With instructions for bytes they take less time, while versions of torch without a kernel for the
    processor take many times as long.
    """
    active = (torch.arange(32 * 4096) % 3 == 0).view(32, -1)
    try:
        return fastest(of_bytes, active.to(torch.int8)) < fastest(of_floats, active.float())
    except (AttributeError, RuntimeError):  # a name that torch does not promise
        return False


def fastest(multiply: Multiply, active: Tensor, times: int = 5) -> float:
    """Returns the seconds of the fastest call, after one that may compile."""
    seconds = []
    for _ in range(times + 1):
        start = time.perf_counter()
        multiply(active, active)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
