"""Images by position, from whatever they come."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Pixels(Protocol):
    """Images by position, decoded when asked for."""

    def __len__(self) -> int:
        """Returns the number of images."""

    def __getitem__(self, index: int, /) -> Tensor:
        """Returns one image `[3, H, W]`, float32 in 0..1, at its own size."""
