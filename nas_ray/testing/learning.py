"""What the loss and the metric of every task must do, and a training on it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.process.seeded import seeded
from nas_ray.proxies.needs import are_labels
from nas_ray.rows import Row
from nas_ray.testing.driving import Line
from nas_ray.testing.given import must, must_equal
from nas_ray.training.recipes import RECIPES
from nas_ray.training.task import Task

RECIPE = dataclasses.replace(RECIPES["fast"], epochs=2, batch_size=32, seeds=2)
"""Of the trainings of these tests."""

Net = Callable[[int], nn.Module]


class Dense(nn.Module):
    """One linear layer on all numbers of an example: `[B, ...] -> [B, outputs]`."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.layer = nn.LazyLinear(outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the outputs, of whole numbers as well."""
        outputs: Tensor = self.layer(inputs.flatten(1).float())
        return outputs


class Nets(Line):
    """A space of one net."""

    def __init__(self, net: Net, task: Task) -> None:
        super().__init__(1)
        self.net, self.task = net, task

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns the net, of which lazy layers have met the data."""
        made = self.net(num_classes)
        made(self.task.minibatch()[0])
        return made


def outputs_of(task: Task, net: Net) -> tuple[Tensor, Tensor]:
    """Returns outputs and targets of the minibatch; the outputs can be differentiated in."""
    inputs, targets = task.minibatch()
    with seeded(0), torch.no_grad():
        outputs: Tensor = Nets(net, task).build("0", task.num_outputs)(inputs)
    return outputs.requires_grad_(), targets


def metric_of(task: Task, outputs: Tensor, targets: Tensor) -> Tensor:
    """Returns the metric of detached outputs, one number or one per example."""
    return torch.as_tensor(task.metric(outputs.detach(), targets)).double()


def right_and_wrong(task: Task, outputs: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields the best and the worst outputs `[B, classes]` where targets are labels; else nothing."""
    if are_labels(targets, len(targets), task.num_outputs) and outputs.dim() == 2:
        right = 10.0 * nn.functional.one_hot(targets.long(), outputs.shape[1])
        yield right, -right


def twice(tensor: Tensor) -> Tensor:
    """Returns every example two times."""
    return torch.cat([tensor.detach(), tensor.detach()])


def rows(training: ShortTraining) -> list[Row]:
    """Returns the rows of a training without their times."""
    return [{name: row[name] for name in row if "seconds" not in name} for row in training.epochs("0")]


class LearningContract:
    """The tests of learning the fixture `task` with the fixture `net`."""

    def test_the_loss_is_one_number_that_outputs_can_make_smaller(self, task: Task, net: Net) -> None:
        """By a step against its gradient; right labels have a smaller one than wrong ones."""
        outputs, targets = outputs_of(task, net)
        loss = task.loss(outputs, targets)
        must(loss.shape == (), "loss must return a tensor without dimensions, the mean", list(loss.shape))
        (gradient,) = torch.autograd.grad(loss, outputs)
        must(gradient.any(), "loss must depend on the outputs, and its gradient is 0 everywhere")
        step = 0.01 / float(gradient.abs().max())
        after = float(task.loss(outputs.detach() - step * gradient, targets))
        must(
            after < float(loss.detach()),
            "A small step against its gradient must make the loss smaller",
            f"{after:g} after {float(loss.detach()):g}",
        )
        for best, worst in right_and_wrong(task, outputs, targets):
            right, wrong = float(task.loss(best, targets)), float(task.loss(worst, targets))
            must(right < wrong, f"The loss of right outputs must be below {wrong:g} of others", right)

    def test_the_loss_is_a_mean_over_the_examples(self, task: Task, net: Net) -> None:
        """A batch of twice the examples has the same one; a sum would scale the learning rate."""
        outputs, targets = outputs_of(task, net)
        once = float(task.loss(outputs.detach(), targets))
        again = float(task.loss(twice(outputs), twice(targets)))
        must(
            math.isclose(once, again, rel_tol=1e-3, abs_tol=1e-6),
            "loss must be the mean over the examples, the same where each comes twice",
            f"{again:g} after {once:g}",
        )

    def test_the_metric_is_finite_and_larger_is_better(self, task: Task, net: Net) -> None:
        """One number, or one for each example; right labels have more than wrong ones."""
        outputs, targets = outputs_of(task, net)
        metric = metric_of(task, outputs, targets)
        must(metric.isfinite().all(), "metric must be finite", metric)
        shapes = ((), (len(targets),))
        must(metric.shape in shapes, "metric must be one number, or one per example", list(metric.shape))
        for best, worst in right_and_wrong(task, outputs, targets):
            right, wrong = (float(metric_of(task, of, targets).mean()) for of in (best, worst))
            must(
                right > wrong,
                f"The metric of right outputs must be above {wrong:g} of others",
                right,
            )

    def test_the_metric_is_a_mean_over_the_examples(self, task: Task, net: Net) -> None:
        """A count or a sum would depend on the batch size, and be averaged over batches."""
        outputs, targets = outputs_of(task, net)
        once = float(metric_of(task, outputs, targets).mean())
        again = float(metric_of(task, twice(outputs), twice(targets)).mean())
        must(
            math.isclose(once, again, rel_tol=1e-3, abs_tol=1e-6),
            "metric must be the mean over the examples, the same where each comes twice",
            f"{again:g} after {once:g}",
        )

    def test_a_net_learns_and_a_training_goes_on_with_equal_numbers(
        self, task: Task, net: Net, tmp_path: Path
    ) -> None:
        """Rows are those of a training that was never left."""

        def training(checkpoints: Path | None) -> ShortTraining:
            return ShortTraining.of_task(Nets(net, task), task, RECIPE, checkpoints=checkpoints)

        whole = rows(training(None))
        errors = [row["error"] for row in whole if row["error"]]
        must(not errors and len(whole) == RECIPE.epochs, "A training must end without an error", errors)
        for row in whole:
            name = f"valid_{task.metric_name}"
            must(math.isfinite(row[name]), f"{name} of a training must be finite", row[name])
        first, last = (row["train_loss"] for row in whole)
        must(last < first, f"train_loss must fall from {first:g} in a second epoch", last)
        left = training(tmp_path).epochs("0")
        next(left)
        left.close()
        said = "A training that was left must go on to the row of one that was not"
        must_equal(rows(training(tmp_path)), whole[1:], said)
