"""What the author of a broken space or task reads: a sentence that says what must hold and what was found."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import nas_ray.testing
from nas_ray.spaces import NatsTss, Product, SearchSpace, sequence_neighbors
from nas_ray.testing import space_contract
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Batch, Task
from tests.spaces.toy import Layers, Widths
from tests.testing.running import SENTENCE, run, run_task


class Points(Task):
    """Two-dimensional points, and on which side of a line they lie."""

    num_outputs = 2

    def __init__(self) -> None:
        self.points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        self.labels = (self.points.sum(1) > 0).long()

    def minibatch(self) -> Batch:
        return self.points[:16].clone(), self.labels[:16].clone()

    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[list[Batch], list[Batch]]:
        order = np.random.default_rng((seed, epoch)).permutation(np.arange(50, 200))
        return self.batches(order, recipe.batch_size), self.batches(np.arange(50), 50)

    def batches(self, order: np.ndarray, size: int) -> list[Batch]:
        return [(self.points[part], self.labels[part]) for part in torch.from_numpy(order).split(size)]

    @staticmethod
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets)

    @staticmethod
    def metric(outputs: Tensor, targets: Tensor) -> float | Tensor:
        return 100.0 * (outputs.argmax(1) == targets).double()

    def fingerprint(self, recipe: Recipe) -> str:
        return "200 points"


class Dots:
    """Nets of one hidden layer for points, not for images."""

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.integers(1, 9))

    def neighbors(self, arch: str) -> list[str]:
        return [str(n) for n in (int(arch) - 1, int(arch) + 1) if 1 <= n <= 8]

    def build(self, arch: str, num_outputs: int) -> nn.Module:
        width = int(arch)
        return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, num_outputs))


TestDots = space_contract(Dots, Points)
"""A space without images keeps the whole contract with its task."""


class NearLayers(Layers):
    neighbors = sequence_neighbors


TestSettingsBesideSequences = space_contract(Product(NearLayers(3), "lr=log:0.01..1"))
TestChoicesBesideSequences = space_contract(Product(NearLayers(3), "lr=0.1/0.2"))


class Silent(Widths):
    def sample(self, rng: np.random.Generator) -> Any:
        return None


class NoList(Dots):
    def neighbors(self, arch: str) -> Any:
        return None


class Numbers(Dots):
    def neighbors(self, arch: str) -> Any:
        return [int(arch) % 8 + 1]


class Outside(Dots):
    def neighbors(self, arch: str) -> list[str]:
        return [str(int(arch) - 1), str(int(arch) + 1)]

    def __contains__(self, arch: object) -> bool:
        return arch in "12345678"


class Breaks(Widths):
    """Builds most archs."""

    def build(self, arch: str, num_classes: int) -> nn.Module:
        if arch == "3":
            raise ZeroDivisionError("three")
        return super().build(arch, num_classes)


class Cached(Widths):
    """Gives out one net again and again."""

    def __init__(self) -> None:
        self.made: dict[str, nn.Module] = {}

    def build(self, arch: str, num_classes: int) -> nn.Module:
        return self.made.setdefault(arch, super().build(arch, num_classes))


class SharesHead(Widths):
    def __init__(self) -> None:
        self.head = nn.LazyLinear(7)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        return nn.Sequential(super().build(arch, 4), self.head)


class OwnSeed(Widths):
    def build(self, arch: str, num_classes: int) -> nn.Module:
        torch.manual_seed(0)
        return super().build(arch, num_classes)


class Double(Widths):
    def build(self, arch: str, num_classes: int) -> nn.Module:
        torch.set_default_dtype(torch.float64)
        return super().build(arch, num_classes).float()


class NoEdge(NatsTss):
    """Cannot build one operation, wherever it is."""

    def build(self, arch: str, num_classes: int) -> nn.Module:
        if "none~0|+|none" in arch:
            raise KeyError("none")
        return super().build(arch, num_classes)


class Ten(Widths):
    def build(self, arch: str, num_classes: int) -> nn.Module:
        return super().build(arch, 10)


class GlobalDraw(Widths):
    def sample(self, rng: np.random.Generator) -> str:
        return str(np.random.randint(1, 9))  # noqa: NPY002


NETS = "test_every_arch_can_be_built"
NEW = "test_every_net_is_a_new_one"
LEFT = "test_building_leaves_what_others_use"

SPACES: list[tuple[SearchSpace, str, str]] = [
    (Silent(), "test_archs_are_strings", "sample must return archs as strings, got None."),
    (NoList(), "test_neighbours_are_in_the_space", r"neighbors\('.'\) must return a list, got None."),
    (Numbers(), "test_archs_are_strings", r"neighbors\('.'\) must return archs as strings, got \d."),
    (Outside(), "test_neighbours_are_in_the_space", "must return archs of the space, got '[09]'."),
    (Breaks(), NETS, r"build\('3', 7\) must return a net, got 'ZeroDivisionError: three'."),
    (NoEdge(), NETS, r"build\('\|none~0.*must return a net, got \"KeyError: 'none'\"."),
    (Cached(), NEW, "must return a new net at every call, not one it keeps."),
    (SharesHead(), NEW, "must share no weights and buffers, got .*1.weight"),
    (OwnSeed(), "test_equal_seeds_give_equal_nets_and_others_do_not", "build gave the same."),
    (Double(), LEFT, "build must leave .*dtype.* alone"),
    (Ten(), "test_a_built_net_fits_the_task", r"must have outputs \[2, 7\], got torch.Size\(\[2, 10\]\)."),
    (GlobalDraw(), "test_equal_seeds_give_equal_samples", "draw from rng alone, got "),
    (GlobalDraw(), "test_what_others_use_is_left_as_it_was", "numpy's global random state alone; use"),
    (Dots(), "test_a_built_net_fits_the_task", r"must take inputs \[2, 3, 32, 32\] of torch.float32, got"),
]  # fmt: skip


@pytest.mark.parametrize(("space", "test", "said"), SPACES, ids=lambda part: type(part).__name__)
def test_a_broken_space_is_told_what_must_hold(space: SearchSpace, test: str, said: str) -> None:
    run(test, Widths())
    with pytest.raises(AssertionError, match=said) as told:
        run(test, space)
    assert re.search(SENTENCE, str(told.value))


class Leaks(Points):
    """Holds out what it trains on."""

    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[list[Batch], list[Batch]]:
        return super().loaders(recipe, seed, epoch)[0], self.batches(np.arange(40, 60), 50)


class Repeats(Points):
    """Whole numbers alone, so that nearly every example occurs more than once; this is no leak."""

    def __init__(self) -> None:
        super().__init__()
        self.points = self.points.round()


class Counts(Points):
    @staticmethod
    def metric(outputs: Tensor, targets: Tensor) -> float:
        return float((outputs.argmax(1) == targets).sum())


class Sums(Points):
    @staticmethod
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets, reduction="sum")


class OwnSize(Points):
    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[list[Batch], list[Batch]]:
        order = np.random.default_rng((seed, epoch)).permutation(np.arange(50, 200))
        return self.batches(order, 5), self.batches(np.arange(50), 50)


class Large(OwnSize):
    def batches(self, order: np.ndarray, size: int) -> list[Batch]:
        return super().batches(order, 64)


class Seeds(Points):
    def minibatch(self) -> Batch:
        torch.manual_seed(0)
        return super().minibatch()


class LossAlone(Points):
    """Its metric is the negative of its loss, as that of a regression may be."""

    metric_name = "fit"

    @staticmethod
    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        return -nn.functional.cross_entropy(outputs, targets)


HELD_OUT = "test_held_out_examples_are_not_trained_on"
SIZES = "test_batches_have_the_size_of_the_recipe"


@pytest.mark.parametrize(
    ("task", "test", "said"),
    [
        (Leaks(), HELD_OUT, "hold out examples that are not trained on, got '50% of them in both parts'."),
        (
            Counts(),
            "test_the_metric_is_a_mean_over_the_examples",
            "metric must be the mean over the examples",
        ),
        (Sums(), "test_the_loss_is_a_mean_over_the_examples", "loss must be the mean over the examples"),
        (OwnSize(), SIZES, "batch_size=8 must give more batches than one with 32, got '30 and 30'."),
        (Large(), SIZES, "A batch of a recipe with batch_size=32 must have no more, got 64."),
        (
            Seeds(),
            "test_what_others_use_is_left_as_it_was",
            "minibatch and loaders must leave torch's ",
        ),
    ],
    ids=lambda part: type(part).__name__,
)
def test_a_broken_task_is_told_what_must_hold(task: Task, test: str, said: str) -> None:
    run_task(test, Points())
    with pytest.raises(AssertionError, match=said):
        run_task(test, task)


@pytest.mark.parametrize("test", ["test_the_metric_is_finite_and_larger_is_better",
                                  "test_the_metric_is_a_mean_over_the_examples",
                                  "test_a_net_learns_and_a_training_goes_on_with_equal_numbers"])  # fmt: skip
def test_the_negative_of_a_loss_is_a_metric(tmp_path: Path, test: str) -> None:
    run_task(test, LossAlone(), tmp_path)


def test_examples_that_repeat_in_the_data_may_be_in_both_parts() -> None:
    run_task(HELD_OUT, Repeats())


def test_no_test_of_a_contract_is_a_bare_assert() -> None:
    """Its failure would be a line of ours, which the author of a plug-in did not write."""
    for path in Path(nas_ray.testing.__file__).parent.glob("*.py"):
        found = [
            node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)
        ]
        assert not found, path.name
