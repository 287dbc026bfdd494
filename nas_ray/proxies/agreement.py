"""In how many units images agree: exact counts, by the product that is fastest on the processor at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

EXACT_IN_FLOAT32 = 2**24
"""Integers up to this size, and so counts of units, are exact in float32."""


def agreement(activations: Tensor) -> Tensor:
    """Returns `[B, B]`, float64: in how many units each two of `[B, ...]` have the same sign pattern.

    With C in {0, 1} of n units, `C C^T + (1 - C)(1 - C)^T = n - r_i - r_j + 2 C C^T`, where the row sums r
    are the diagonal of `C C^T`: one matrix product of whole numbers, exact in any kind of number.
    """
    last = activations.dim() == 4 and activations.is_contiguous(memory_format=torch.channels_last)
    rows = (activations.movedim(1, -1) if last else activations).flatten(1)  # units in the order of memory
    active = torch.gt(rows, 0, out=torch.empty_like(rows, dtype=torch.float32))
    both = sum(product(part) for part in torch.split(active, EXACT_IN_FLOAT32, dim=1))
    assert isinstance(both, Tensor)
    own = both.diagonal()
    return rows.shape[1] - own[:, None] - own[None, :] + 2 * both


def product(active: Tensor) -> Tensor:
    """Returns `C C^T` in float64 for `C [B, units]` of 0 and 1 in float32."""
    bytewise = active.is_cpu and bytes_are_faster()
    with torch.autocast(active.device.type, enabled=False):  # counts do not fit into bfloat16
        return (of_bytes if bytewise else of_floats)(active).double()


def of_bytes(active: Tensor) -> Tensor:
    """Returns `C C^T` in int32."""
    bits = active.to(torch.int8)
    return torch._int_mm(bits, bits.T)


def of_floats(active: Tensor) -> Tensor:
    """Returns `C C^T` in float32."""
    return active @ active.T


@cache
def bytes_are_faster() -> bool:
    """Returns whether this processor multiplies bytes faster than floats, measured once.

    With instructions for bytes they take less time, while versions of torch without a kernel for the
    processor take many times as long.
    """
    active = (torch.arange(32 * 4096) % 3 == 0).float().view(32, -1)
    try:
        return fastest(of_bytes, active) < fastest(of_floats, active)
    except (AttributeError, RuntimeError):  # a name that torch does not promise
        return False


def fastest(function: Callable[[Tensor], Tensor], active: Tensor, times: int = 5) -> float:
    """Returns the seconds of the fastest call, after one that may compile."""
    seconds = []
    for _ in range(times + 1):
        start = time.perf_counter()
        function(active)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
