"""What is learned: data, a loss and a metric; images with classes are the first task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol, runtime_checkable

import torch
from torch import Tensor

from nas_ray.errors.checks import having
from nas_ray.training.recipes import Recipe

Batch = tuple[Tensor, Tensor]
"""`(inputs [B, ...], targets [B, ...])`, of any dtype."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""`(outputs, targets) -> mean over the examples`, a tensor without dimensions."""


class Batches(Protocol):
    """The batches of one epoch: a `DataLoader`, or a list."""

    def __len__(self) -> int:
        """Returns how many there are."""

    def __iter__(self) -> Iterator[Batch]:
        """Yields them."""


@runtime_checkable
class Task(Protocol):
    """What nets learn, for `ProxyScores.of_task` and `ShortTraining.of_task`; the nets are those of a space.

    The smallest task inherits from this class and says the rest (`docs/new_task.md`)::

        class Moons(Task):
            num_outputs = 2

    Attributes:
        num_outputs: what `SearchSpace.build(arch, num_outputs)` is told.
        metric_name: names the columns `valid_acc` and `train_acc`, which of another than `acc` are
            `valid_NAME` and `train_NAME`.
    """

    num_outputs: int
    metric_name: str = "acc"

    def minibatch(self) -> Batch:
        """Returns the batch on which proxies score, the same at every call; the caller may change it."""

    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[Batches, Batches]:
        """Returns the batches of one epoch of training, and those that are held out.

        Order and augmentation are a function of `seed` and `epoch`, so that a training that was killed goes
        on with equal numbers; held-out batches depend on neither.

        Args:
            recipe: its `batch_size` and shares, and what else of it has a meaning for the data.
            seed: of the training.
            epoch: from 0.
        """

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns what a training makes smaller, the mean over the examples.

        Proxies of the loss use it too, in the workers: as a static method it travels without the data.
        """

    def metric(self, outputs: Tensor, targets: Tensor) -> float | Tensor:
        """Returns what a search makes larger, such as the percentage of right answers.

        It is the mean over the examples, or one value per example `[B]`, whose mean then is exact and for
        which no step waits. Where nothing says more of a task, the negative of its loss is one.
        """

    def fingerprint(self, recipe: Recipe) -> str:
        """Returns a text that differs where the data of a training by `recipe` differ.

        An unfinished training goes on with equal ones alone. The recipe itself is compared anyway.
        """


SCORED_TASK: Final = having(Task, "a task", "num_outputs", "minibatch", "loss")
TRAINED_TASK: Final = having(Task, "a task", "num_outputs", "metric_name", "loaders", "loss", "metric")
"""What is asked of a task where nets are scored on it, and where they are trained."""


@runtime_checkable
class ShapedLoss(Protocol):
    """A task whose loss of training follows the options of a recipe, such as `label_smoothing`."""

    def training_loss(self, recipe: Recipe) -> Loss:
        """Returns the loss of training, which other processes can be given."""


@runtime_checkable
class CostTask(Protocol):
    """A task of a cost: its columns have the negative of its metric, and a search maximises `-valid_NAME`.

    Attributes:
        smaller_is_better: whether it is one.
    """

    smaller_is_better: bool


@runtime_checkable
class PlacedTask(Protocol):
    """A task that keeps its data where nets are trained, instead of sending each batch there."""

    def to(self, device: torch.device) -> None:
        """Takes the device; later `loaders` have their batches on it."""
