"""Goes on with half as many archs where memory does not suffice for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nas_ray.errors import is_out_of_memory


def in_halves(function: Callable[[Sequence[str]], Tensor], archs: Sequence[str]) -> list[Tensor]:
    """Returns `[function(archs)]`, or, where memory does not suffice, what it returns for parts of `archs`.

    Raises:
        Exception: what `function` raises for other reasons, or for a single arch.
    """
    try:
        return [function(archs)]
    except (MemoryError, RuntimeError) as error:
        if len(archs) < 2 or not is_out_of_memory(error):
            raise
    # Outside of the handler, which keeps the tensors of the failed attempt alive.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = len(archs) // 2
    return in_halves(function, archs[:half]) + in_halves(function, archs[half:])
