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
        net: the supernet, in training mode, where it shall be computed; Lightning leaves it as it is.
        score: returns what is found on `(inputs [B, 3, H, W], targets [B])`.

    Attributes:
        found: what was found.
    """

    found: T

    def __init__(self, net: nn.Module, score: Callable[[Tensor, Tensor], T]) -> None:
        super().__init__()
        self._net = (net,)  # no submodule: walking through all of it costs more than many a score
        self._score = score

    @property
    def net(self) -> nn.Module:
        """The supernet."""
        return self._net[0]

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Scores the archs."""
        with torch.enable_grad():
            self.found = self._score(*batch)
