"""A proxy that only takes time, so that a search lasts long enough for something to happen to its cluster."""

from __future__ import annotations

import time

from torch import Tensor, nn

SECONDS = 0.2


def pauses(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the seconds that it took."""
    time.sleep(SECONDS)
    return SECONDS
