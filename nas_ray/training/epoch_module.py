"""A training that is run epoch by epoch, kept in between and gone on with, of whatever kind it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch.utils.data import DataLoader

from nas_ray.process.lightning import Trainer, quiet_lightning
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Batch, Batches, Task
from nas_ray.training.training_module import TrainingModule


@runtime_checkable
class EpochModule(Protocol):
    """One training of one arch: what `EpochTraining` asks, epoch by epoch.

    All that an epoch draws must depend on its number and on the seed of the module; torch's global state is
    seeded with both around each epoch. A pass over the data is the usual epoch, but any piece of work is one.
    """

    def train_epoch(self, epoch: int) -> Mapping[str, float | str]:
        """Trains epoch `epoch` (from 0) and returns columns of the row, the metric of the search among them.

        Where `train_loss` is among them and no number any more, the training has diverged. Texts, such as
        `found`, are those of the first module where an arch has several.
        """

    def state(self) -> dict[str, Any]:
        """Returns all that the next epoch needs, as tensors and plain values."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned in another process; raises where it does not fit."""


@runtime_checkable
class EndingModule(Protocol):
    """A module that may end before its last epoch; asked by `EpochTraining` after each of them."""

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to train; kept in its `state`."""


def all_finished(modules: Sequence[EpochModule]) -> bool:
    """Returns whether every module has ended by itself."""
    return all(isinstance(module, EndingModule) and module.finished for module in modules)


ModuleFactory = Callable[[str, int], EpochModule]
"""`(arch, seed) -> module`, untrained and equal for equal seeds; torch's global state is seeded for it."""


class RecipeModule:
    """Trains a net on a task by a recipe.

    Args:
        module: of the net.
        task: gives the batches.
        recipe: how it is trained.
        seed: of order and augmentation.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
    """

    def __init__(
        self, module: TrainingModule, task: Task, recipe: Recipe, seed: int, accelerator: str = "cpu"
    ) -> None:
        self.module = module
        self.task = task
        self.recipe = recipe
        self.seed = seed
        self.accelerator = accelerator

    def train_epoch(self, epoch: int, *, validate: bool = True) -> dict[str, float]:
        """Trains one epoch, and returns losses and metrics."""
        trainer = quiet_trainer(self.accelerator, self.recipe)
        train, valid = (as_loader(batches) for batches in self.task.loaders(self.recipe, self.seed, epoch))
        trainer.fit(self.module, train, valid if validate else None)
        found = self.module.results
        return {column: found[column] for column in self.module.columns if column in found}

    def state(self) -> dict[str, Any]:
        """Returns weights, average, optimiser and schedule."""
        return self.module.state()

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        self.module.load_state(state)


def as_loader(batches: Batches) -> Batches:
    """Returns batches as Lightning takes them, which reads a list as several loaders."""
    if not isinstance(batches, Sequence):
        return batches
    loader: DataLoader[Batch] = DataLoader(batches, batch_size=None)  # type: ignore[arg-type]  # a dataset
    return loader


def quiet_trainer(accelerator: str, recipe: Recipe, epochs: int = 1) -> Trainer:
    """Returns a Lightning `Trainer` that trains on one device and says and writes nothing."""
    quiet_lightning()
    return Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=epochs,
        precision=recipe.precision,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
    )
