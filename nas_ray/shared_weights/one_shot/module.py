"""A one-shot search as a Lightning module, whose optimisers are its own."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_ray.process.lightning import pl
from nas_ray.shared_weights.methods.search import OneShotSearch
from nas_ray.training.task import Batch


class OneShotModule(pl.LightningModule):
    """Hands the batches of an epoch to a search, and adds up what it says.

    Args:
        search: its `step` moves weights and architecture weights in the published order.

    Attributes:
        results: means of the last epoch, by column.
    """

    automatic_optimization = False

    def __init__(self, search: OneShotSearch) -> None:
        super().__init__()
        self.search = search
        self.results: dict[str, float] = {}
        self._sums: dict[str, tuple[Tensor, int]] = {}

    def training_step(self, batches: tuple[Batch, Batch], batch_idx: int) -> None:
        """Makes one step of both kinds of weights."""
        train, valid = batches
        self._add(self.search.step(train, valid), train[1].numel())

    def on_train_epoch_start(self) -> None:
        """Forgets the sums of the last epoch."""
        self._sums = {}

    def on_train_epoch_end(self) -> None:
        """Takes the means; the one moment of an epoch that waits for the device."""
        self.results = {name: float(total) / count for name, (total, count) in self._sums.items()}

    def configure_optimizers(self) -> None:
        """Has none: those of the search are no part of Lightning."""

    def _add(self, said: dict[str, Tensor], count: int) -> None:
        for name, value in said.items():
            total, before = self._sums.get(name, (torch.zeros((), device=value.device), 0))
            self._sums[name] = total + value.detach() * count, before + count
