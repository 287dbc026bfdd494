"""What a training makes smaller and what it reports: losses and metrics of tasks, above all of classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nas_ray.errors import UsageError
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import CostTask, Loss, ShapedLoss, Task

SHAPED = ("label_smoothing", "class_weights")
"""Options of a recipe that change the loss of training."""


@dataclass(frozen=True)
class Objective:
    """What a training makes smaller, and what it reports.

    Attributes:
        training_loss: its gradient is followed.
        loss: of held-out examples.
        metric: larger is better, as `Task.metric`.
        name: of the metric in columns: `valid_NAME`, `train_NAME`.
        smaller_is_better: whether columns have the negative of the metric.
    """

    training_loss: Loss
    loss: Loss
    metric: Callable[[Tensor, Tensor], float | Tensor]
    name: str = "acc"
    smaller_is_better: bool = False

    @property
    def column(self) -> str:
        """What a search maximises: `valid_NAME`, or `-valid_NAME` where smaller is better."""
        return f"{'-' * self.smaller_is_better}valid_{self.name}"


def objective_of(task: Task, recipe: Recipe) -> Objective:
    """Returns the objective of a task.

    Raises:
        UsageError: the recipe changes the loss and the task does not say how.
    """
    named = task.metric_name, isinstance(task, CostTask) and task.smaller_is_better
    if isinstance(task, ShapedLoss):
        return Objective(task.training_loss(recipe), task.loss, task.metric, *named)
    if wanted := [name for name in SHAPED if getattr(recipe, name)]:
        raise UsageError(
            f"The recipe option {wanted[0]} needs a task with training_loss(recipe), which "
            f"{type(task).__name__} lacks; leave {wanted[0]} out."
        )
    return Objective(task.loss, task.loss, task.metric, *named)


def class_objective(recipe: Recipe, class_weights: Sequence[float] | None = None) -> Objective:
    """Returns the objective of classes: cross-entropy, with weights in training alone, and accuracy."""
    return Objective(ClassLoss(class_weights, recipe.label_smoothing), cross_entropy, percent_right)


class ClassLoss:
    """Cross-entropy in nats with label smoothing and weights.

    Args:
        weights: of the classes `[classes]`; None for equal ones.
        smoothing: share of the target that is spread over all classes.
    """

    def __init__(self, weights: Sequence[float] | None, smoothing: float = 0.0) -> None:
        self.weights = None if weights is None else torch.tensor(weights, dtype=torch.float32)
        self.smoothing = smoothing

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the loss of logits `[B, classes]` and labels `[B]`."""
        if self.weights is not None:
            self.weights = self.weights.to(outputs.device)  # once: later it is there
        return cross_entropy(outputs, targets, weight=self.weights, label_smoothing=self.smoothing)


def percent_right(outputs: Tensor, targets: Tensor) -> Tensor:
    """Returns 100 for each example whose largest output `[B, classes]` is its label `[B]`, else 0."""
    return 100.0 * (outputs.argmax(1) == targets).double()
