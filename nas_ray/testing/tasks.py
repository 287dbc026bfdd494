"""What every task must do."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.drivers.by_value import travelled
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.process.seeded import seeded
from nas_ray.proxies.needs import are_labels
from nas_ray.rows import Row
from nas_ray.testing.driving import Line
from nas_ray.testing.given import contract_of
from nas_ray.training.recipes import RECIPES
from nas_ray.training.task import Batch, Batches, Task

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


def task_contract(task: Task | Callable[[], Task], net: Net = Dense) -> type[TaskContract]:
    """Returns the tests of a task.

    Args:
        task: as such, or what makes it, such as its class.
        net: `num_outputs -> module` that learns it; a linear layer where an example has `num_outputs`
            outputs.
    """
    made = task() if isinstance(task, type) or not isinstance(task, Task) else task
    return contract_of(TaskContract, task=made, net=staticmethod(net))


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


def equal(one: Batches, other: Batches) -> bool:
    """Returns whether batches are the same in the same order."""
    pairs = [(a, b) for one_batch, other_batch in zip(one, other, strict=True)
             for a, b in zip(one_batch, other_batch, strict=True)]  # fmt: skip
    return all(torch.equal(a, b) for a, b in pairs)


def kind(batch: Batch) -> list[tuple[torch.dtype, int]]:
    """Returns what a net must be able to take."""
    return [(tensor.dtype, tensor.dim()) for tensor in batch]


def outputs_of(task: Task, net: Net) -> tuple[Tensor, Tensor]:
    """Returns outputs and targets of the minibatch; the outputs can be differentiated in."""
    inputs, targets = task.minibatch()
    with seeded(0), torch.no_grad():
        outputs: Tensor = Nets(net, task).build("0", task.num_outputs)(inputs)
    return outputs.requires_grad_(), targets


def right_and_wrong(task: Task, outputs: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields the best and the worst outputs `[B, classes]` where targets are labels; else nothing."""
    if are_labels(targets, len(targets), task.num_outputs) and outputs.dim() == 2:
        right = 10.0 * nn.functional.one_hot(targets.long(), outputs.shape[1])
        yield right, -right


def rows(training: ShortTraining) -> list[Row]:
    """Returns the rows of a training without their times."""
    return [{name: row[name] for name in row if "seconds" not in name} for row in training.epochs("0")]


class TaskContract:
    """The tests of the fixtures `task` and `net`."""

    def test_it_is_a_task(self, task: Task) -> None:
        """It has the methods of one, and says what it is."""
        assert isinstance(task, Task)
        assert type(task.num_outputs) is int
        assert task.num_outputs >= 1
        assert task.fingerprint(RECIPE) == task.fingerprint(RECIPE) != ""
        assert isinstance(task.fingerprint(RECIPE), str)
        assert task.metric_name.isidentifier()

    def test_the_minibatch_is_the_same_at_every_call(self, task: Task) -> None:
        """What a caller changes is its own copy."""
        first, second = task.minibatch(), task.minibatch()
        kept = [tensor.clone() for tensor in first]
        assert len(first[0]) == len(first[1]) >= 2
        for tensor in first:
            tensor.zero_()
        assert all(map(torch.equal, second, kept))
        assert all(map(torch.equal, task.minibatch(), kept))

    def test_batches_are_as_many_as_they_say(self, task: Task) -> None:
        """The schedule of a recipe counts them."""
        for batches in task.loaders(RECIPE, 0, 0):
            assert len(list(batches)) == len(batches) >= 1

    def test_all_batches_are_of_one_kind(self, task: Task) -> None:
        """A net that takes the minibatch takes all."""
        for batch in itertools.chain(*task.loaders(RECIPE, 0, 0)):
            assert kind(batch) == kind(task.minibatch())
            assert len(batch[0]) == len(batch[1]) >= 1

    def test_an_epoch_is_a_function_of_seed_and_epoch(self, task: Task) -> None:
        """Whatever was drawn before, and in another process."""
        before = task.loaders(RECIPE, 3, 1)
        list(task.loaders(RECIPE, 0, 0)[0])
        for one, other, there in zip(
            before, task.loaders(RECIPE, 3, 1), travelled(task).loaders(RECIPE, 3, 1), strict=True
        ):
            assert equal(one, other)
            assert equal(one, there)

    def test_seeds_and_epochs_differ_in_the_training_part_alone(self, task: Task) -> None:
        """Each epoch has an order of its own, and all are judged by the same examples."""
        train, valid = task.loaders(RECIPE, 0, 0)
        for seed, epoch in ((0, 1), (1, 0)):
            other_train, other_valid = task.loaders(RECIPE, seed, epoch)
            assert not equal(train, other_train)
            assert equal(valid, other_valid)

    def test_the_global_random_states_are_left_alone(self, task: Task) -> None:
        """They are everyone's."""
        before = torch.get_rng_state(), repr(np.random.get_state()), random.getstate()  # noqa: NPY002
        task.minibatch()
        task.loaders(RECIPE, 0, 0)
        assert torch.equal(torch.get_rng_state(), before[0])
        assert repr(np.random.get_state()) == before[1]  # noqa: NPY002
        assert random.getstate() == before[2]

    def test_the_loss_is_one_number_that_outputs_can_make_smaller(self, task: Task, net: Net) -> None:
        """By a step against its gradient; right labels have a smaller one than wrong ones."""
        outputs, targets = outputs_of(task, net)
        loss = task.loss(outputs, targets)
        assert loss.shape == ()
        (gradient,) = torch.autograd.grad(loss, outputs)
        assert gradient.any()
        step = 0.01 / float(gradient.abs().max())
        assert float(task.loss(outputs.detach() - step * gradient, targets)) < float(loss.detach())
        for best, worst in right_and_wrong(task, outputs, targets):
            assert task.loss(best, targets) < task.loss(worst, targets)

    def test_the_metric_is_finite_and_larger_is_better(self, task: Task, net: Net) -> None:
        """One number, or one for each example; right labels have more than wrong ones."""
        outputs, targets = outputs_of(task, net)
        metric = torch.as_tensor(task.metric(outputs.detach(), targets)).double()
        assert metric.isfinite().all()
        assert metric.shape in ((), (len(targets),))
        for best, worst in right_and_wrong(task, outputs, targets):
            of_best, of_worst = (torch.as_tensor(task.metric(of, targets)) for of in (best, worst))
            assert of_best.double().mean() > of_worst.double().mean()

    def test_a_net_learns_and_a_training_goes_on_with_equal_numbers(
        self, task: Task, net: Net, tmp_path: Path
    ) -> None:
        """Rows are those of a training that was never left."""

        def training(checkpoints: Path | None) -> ShortTraining:
            return ShortTraining.of_task(Nets(net, task), task, RECIPE, checkpoints=checkpoints)

        whole = rows(training(None))
        assert [row["error"] for row in whole] == [None, None]
        assert all(math.isfinite(row[f"valid_{task.metric_name}"]) for row in whole)
        assert whole[1]["train_loss"] < whole[0]["train_loss"]
        left = training(tmp_path).epochs("0")
        next(left)
        left.close()
        assert rows(training(tmp_path)) == whole[1:]

    def test_it_travels_to_another_process(self, task: Task) -> None:
        """Ray's workers get a copy."""
        there = travelled(task)
        assert there.fingerprint(RECIPE) == task.fingerprint(RECIPE)
        assert all(map(torch.equal, there.minibatch(), task.minibatch()))
