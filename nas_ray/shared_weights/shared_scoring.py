"""A LightningModule that scores archs on the weights of one supernet, on one minibatch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from nas_ray.process.lightning import pl

T = TypeVar("T")


class SharedScoring(pl.LightningModule, Generic[T]):
    """Scores the archs of a trial in `test_step`: one on its view of the supernet, or many together.

    Args:
        net: the supernet.
        score: returns what is found on `(inputs [B, 3, H, W], targets [B])`.

    Attributes:
        found: what was found.
    """

    found: T

    def __init__(self, net: nn.Module, score: Callable[[Tensor, Tensor], T]) -> None:
        super().__init__()
        self.net = net
        self._score = score

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Scores the archs."""
        self.net.train()  # as built; Lightning switched to evaluation mode
        with torch.enable_grad():
            self.found = self._score(*batch)
