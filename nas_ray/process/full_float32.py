"""Scores in float32 are computed in float32, on a GPU too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_float32() -> Iterator[None]:
    """Within it cuDNN rounds no factor of a convolution in float32 to the 10 bits of TF32, its default.

    So a score is the same on a GPU and on the CPU but for the rounding of sums. What the process had is put
    back at the end; nothing changes on the CPU.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
