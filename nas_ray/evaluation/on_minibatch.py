"""Lightning modules on one fixed minibatch."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch.utils.data import DataLoader

from nas_ray.process.full_float32 import full_float32
from nas_ray.process.lightning import Trainer, pl, quiet_lightning


class OnMinibatch:
    """Runs the `test_step` of modules on one minibatch, with a Lightning `Trainer` that is made once.

    Args:
        inputs: `[B, ...]`, such as images `[B, 3, H, W]`, float32.
        targets: `[B, ...]`, such as labels `[B]`, int64.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
        memory_format: of the inputs.
    """

    def __init__(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        accelerator: str,
        memory_format: torch.memory_format = torch.preserve_format,
    ) -> None:
        self.inputs = inputs
        self.targets = targets
        self.accelerator = accelerator
        self.memory_format = memory_format

    def __call__(self, module: pl.LightningModule) -> None:
        """Tests `module` on the minibatch; what it raises is raised."""
        with full_float32():
            self._trainer.test(module, dataloaders=self._batches, verbose=False)

    def prepare(self) -> None:
        """Makes trainer and batch; what these set for the process stays."""
        _ = self._batches

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    @cached_property
    def _batches(self) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
        device = self._trainer.strategy.root_device
        # Copied, since Ray hands out read-only arrays.
        inputs = torch.tensor(self.inputs).to(device, memory_format=self.memory_format)
        batch = inputs, torch.tensor(self.targets).to(device)
        return DataLoader([batch], batch_size=None)  # type: ignore[arg-type]  # a list is a dataset

    @cached_property
    def _trainer(self) -> Trainer:
        quiet_lightning()
        return Trainer(
            accelerator=self.accelerator,
            devices=1,
            enable_checkpointing=False,
            inference_mode=False,  # proxies need gradients
        )
