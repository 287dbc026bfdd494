"""What every task must do."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable

import torch

from nas_ray.drivers.by_value import travelled
from nas_ray.errors.checks import TEXT, having, whole
from nas_ray.process.global_state import KeptState
from nas_ray.testing.given import contract_of, must, must_be, must_equal, must_leave
from nas_ray.testing.learning import RECIPE, Dense, LearningContract, Net
from nas_ray.training.task import Batch, Batches, Task

SOME_MORE = 0.1
"""How much more of the held-out examples than of the others may occur in training, where examples repeat."""


def task_contract(task: Task | Callable[[], Task], net: Net = Dense) -> type[TaskContract]:
    """Returns the tests of a task.

    Args:
        task: as such, or what makes it, such as its class.
        net: `num_outputs -> module` that learns it; a linear layer where an example has `num_outputs`
            outputs.
    """
    made = task() if isinstance(task, type) or not isinstance(task, Task) else task
    return contract_of(TaskContract, task=made, net=staticmethod(net))


def equal(one: Batches, other: Batches) -> bool:
    """Returns whether batches are the same in the same order."""
    pairs = [*itertools.zip_longest(one, other)]
    return all(a is not None and b is not None and same(a, b) for a, b in pairs)


def same(one: Batch, other: Batch) -> bool:
    """Returns whether inputs and targets are equal."""
    return all(map(torch.equal, one, other))


def kind(batch: Batch) -> list[tuple[torch.dtype, int]]:
    """Returns what a net must be able to take."""
    return [(tensor.dtype, tensor.dim()) for tensor in batch]


def examples(batches: Batches) -> Counter[bytes]:
    """Returns how often each example occurs, told by its input and target."""
    return Counter(
        b"".join(part.contiguous().cpu().view(-1).view(torch.uint8).numpy().tobytes() for part in pair)
        for batch in batches
        for pair in zip(*batch, strict=True)
    )


def sizes(task: Task, batch_size: int) -> list[int]:
    """Returns the sizes of the batches of an epoch of training by a recipe of `batch_size`."""
    batches = task.loaders(dataclasses.replace(RECIPE, batch_size=batch_size), 0, 0)[0]
    return [len(targets) for _, targets in batches]


class TaskContract(LearningContract):
    """The tests of the fixtures `task` and `net`."""

    def test_it_is_a_task(self, task: Task) -> None:
        """It has the methods of one, and says what it is."""
        must_be(having(Task, "a task"), "What is tested", task)
        must_be(whole(1), "num_outputs", task.num_outputs)
        first, second = (task.fingerprint(RECIPE) for _ in range(2))
        must_be(TEXT, "What fingerprint(recipe) returns", first)
        must(first, "fingerprint(recipe) must say which data it is, in a text that is not empty", first)
        must_equal(second, first, "fingerprint(recipe) must be the same at every call")
        must(task.metric_name.isidentifier(), "metric_name must be a word, for valid_NAME", task.metric_name)

    def test_the_minibatch_is_the_same_at_every_call(self, task: Task) -> None:
        """What a caller changes is its own copy."""
        first, second = task.minibatch(), task.minibatch()
        kept = first[0].clone(), first[1].clone()
        must_equal(len(first[0]), len(first[1]), "minibatch() must have as many inputs as targets")
        must(len(first[0]) >= 2, "minibatch() must have at least two examples", len(first[0]))
        for tensor in first:
            tensor.zero_()
        own = "minibatch() must return copies, since its caller may change them"
        must(same(second, kept), f"{own}: another batch of before has changed as well")
        must(same(task.minibatch(), kept), f"{own}, and be the same at every call")

    def test_batches_are_as_many_as_they_say(self, task: Task) -> None:
        """The schedule of a recipe counts them."""
        for batches in task.loaders(RECIPE, 0, 0):
            found = len(list(batches))
            must_equal(found, len(batches), "loaders() must return as many batches as len() says")
            must(found, "loaders() must return at least one batch to train on and one held out", found)

    def test_batches_have_the_size_of_the_recipe(self, task: Task) -> None:
        """Who compares recipes counts on it; one example may join the last batch."""
        large, small = 32, 8
        for size in (large, small):
            most = max(sizes(task, size))
            must(most <= size + 1, f"A batch of a recipe with batch_size={size} must have no more", most)
        of_large, of_small = sizes(task, large), sizes(task, small)
        must(
            sum(of_large) <= large or len(of_small) > len(of_large),
            f"A recipe with batch_size={small} must give more batches than one with {large}",
            f"{len(of_small)} and {len(of_large)}",
        )

    def test_all_batches_are_of_one_kind(self, task: Task) -> None:
        """A net that takes the minibatch takes all."""
        wanted = kind(task.minibatch())
        for batch in itertools.chain(*task.loaders(RECIPE, 0, 0)):
            must_equal(kind(batch), wanted, "Batches must have dtypes and dimensions of the minibatch")
            must_equal(len(batch[0]), len(batch[1]), "A batch must have as many inputs as targets")
            must(len(batch[0]), "A batch must have at least one example", len(batch[0]))

    def test_held_out_examples_are_not_trained_on(self, task: Task) -> None:
        """What was learned by heart is no measure; examples that repeat in the data may be in both parts."""
        train, valid = map(examples, task.loaders(RECIPE, 0, 0))
        shared = sum(count for one, count in valid.items() if one in train) / max(1, valid.total())
        again = sum(count for count in train.values() if count > 1) / max(1, train.total())
        unique = train.total() == len(train) and valid.total() == len(valid)
        must(
            shared <= (0 if unique else again + SOME_MORE),
            "loaders() must hold out examples that are not trained on",
            f"{shared:.0%} of them in both parts",
        )

    def test_an_epoch_is_a_function_of_seed_and_epoch(self, task: Task) -> None:
        """Whatever was drawn before, and in another process."""
        before = task.loaders(RECIPE, 3, 1)
        list(task.loaders(RECIPE, 0, 0)[0])
        again, there = task.loaders(RECIPE, 3, 1), travelled(task).loaders(RECIPE, 3, 1)
        said = "loaders(recipe, 3, 1) must return the same batches"
        for one, other, elsewhere in zip(before, again, there, strict=True):
            must(equal(one, other), f"{said} at every call: draw from a generator of seed and epoch")
            must(equal(one, elsewhere), f"{said} in another process")

    def test_seeds_and_epochs_differ_in_the_training_part_alone(self, task: Task) -> None:
        """Each epoch has an order of its own, and all are judged by the same examples."""
        train, valid = task.loaders(RECIPE, 0, 0)
        for seed, epoch in ((0, 1), (1, 0)):
            other_train, other_valid = task.loaders(RECIPE, seed, epoch)
            which = "epoch" if epoch else "seed"
            must(not equal(train, other_train), f"Another {which} must give another order of training")
            must(equal(valid, other_valid), f"Another {which} must leave the held-out batches as they are")

    def test_what_others_use_is_left_as_it_was(self, task: Task) -> None:
        """The global random states and settings are everyone's."""
        with KeptState() as kept:
            task.minibatch()
            task.loaders(RECIPE, 0, 0)
        must_leave(kept, "minibatch and loaders")

    def test_it_travels_to_another_process(self, task: Task) -> None:
        """Ray's workers get a copy."""
        there = travelled(task)
        said = "A copy in another process must have the same"
        must_equal(there.fingerprint(RECIPE), task.fingerprint(RECIPE), f"{said} fingerprint")
        must(same(there.minibatch(), task.minibatch()), f"{said} minibatch, and it differs")
