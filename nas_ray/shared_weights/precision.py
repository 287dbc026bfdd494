"""Where a pass may go in bfloat16: where it keeps the ranks of archs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nas_ray.process.full_float32 import full_float32

PRECISIONS = ("float32", "bfloat16")

KEEPS_RANKS = frozenset(
    {"synflow", "synflow_released", "naswot", "snip", "grad_norm", "fisher", "fisher_channels"}
)
"""Proxies whose ranks in bfloat16 correlate with those in float32 by more than .999 (Spearman).

Measured by `perf/precision_ranks.py`; the others stay in float32.
"""


@contextmanager
def in_precision(precision: str, name: str, device: str) -> Iterator[None]:
    """The surroundings of the proxy `name`: float32, or bfloat16 for convolutions if it keeps the ranks.

    Args:
        precision: one of `PRECISIONS`.
        name: the proxy.
        device: such as `cpu` or `cuda`.
    """
    wanted = precision == "bfloat16" and name in KEEPS_RANKS
    with full_float32(), torch.autocast(device.partition(":")[0], dtype=torch.bfloat16, enabled=wanted):
        yield
