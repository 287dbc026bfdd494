"""Trainings with a second classifier and dropped paths."""

from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nas_ray.errors import UsageError
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images.image_data import ImageDataModule
from nas_ray.process.seeded import seeded
from nas_ray.spaces import DartsCells, NatsTss
from nas_ray.training.epoch_module import RecipeModule
from nas_ray.training.image_task import ImageTask, used
from nas_ray.training.objective import class_objective
from nas_ray.training.recipes import ADDED, Recipe, parse_recipe
from nas_ray.training.second_classifier import AuxiliaryNet, PathsNet, check_takes
from nas_ray.training.task import Batch
from nas_ray.training.training_module import TrainingModule

RECIPE = Recipe(epochs=3, batch_size=32, lr=0.02, clip_grad_norm=1.0, auxiliary_weight=0.4, drop_path=0.3)


class Few(ImageTask):
    """A hundred digits in float64, as a rounding of float32 grows a thousandfold in a few steps."""

    def __init__(self) -> None:
        images = ImageDataModule("digits").train_images
        super().__init__(images, 10)
        self._parts[used(RECIPE)] = np.arange(96), np.arange(96, 128)

    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[list[Batch], list[Batch]]:  # type: ignore[override]
        """Returns the same batches."""
        train, valid = super().loaders(recipe, seed, epoch)
        return [(x.double(), y) for x, y in train], [(x.double(), y) for x, y in valid]


@pytest.fixture(scope="module")
def task() -> Few:
    return Few()


def new_module(task: Few, recipe: Recipe = RECIPE) -> RecipeModule:
    with seeded(0):
        net = DartsCells(channels=2, cells=3).build("darts-v2", 10)
        module = TrainingModule(net, recipe, class_objective(recipe), steps_per_epoch=3).double()
    return RecipeModule(module, task, recipe, seed=0)


def trained(module: RecipeModule, epochs: range) -> RecipeModule:
    for epoch in epochs:
        with seeded(epoch):
            module.train_epoch(epoch)
    return module


def plain_loop(task: Few, epochs: int) -> nn.Module:
    """As released: loss plus 0.4 times that of the second classifier, clipped, paths dropped linearly."""
    module = new_module(task).module
    net, second = module.net, copy.deepcopy(module.second)
    assert isinstance(net, AuxiliaryNet)
    assert second is not None
    parameters = [*net.parameters(), *second.parameters()]
    velocity, step = [torch.zeros_like(parameter) for parameter in parameters], 0
    for epoch in range(epochs):
        net.drop_path = 0.3 * epoch / 3
        with seeded(epoch):
            for inputs, targets in task.loaders(RECIPE, 0, epoch)[0]:
                outputs, others = net.with_auxiliary(
                    inputs.contiguous(memory_format=torch.channels_last), second
                )
                loss = cross_entropy(outputs, targets) + 0.4 * cross_entropy(others, targets)
                gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
                norm = math.sqrt(sum(float(one.square().sum()) for one in gradients if one is not None))
                rate = 0.02 * (1 + math.cos(math.pi * step / 9)) / 2
                with torch.no_grad():
                    for parameter, gradient, moving in zip(parameters, gradients, velocity, strict=True):
                        if gradient is not None:
                            decayed = gradient * min(1.0, 1.0 / (norm + 1e-6)) + 5e-4 * parameter
                            moving.mul_(0.9).add_(decayed)
                            parameter.sub_(rate * (decayed + 0.9 * moving))
                step += 1
    return net


def same_factors(paths: int, examples: int, rate: float, device: torch.device) -> Tensor:
    """Factors by the rate alone, whatever else has drawn from torch's global state."""
    generator = torch.Generator().manual_seed(round(1_000 * rate))
    return (torch.rand(paths, examples, generator=generator) >= rate).float() / (1 - rate)


def test_steps_are_those_of_a_plain_loop(task: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas_ray.spaces.darts_nets.path_factors", same_factors)
    found = trained(new_module(task), range(2)).module.net.state_dict()
    wanted = plain_loop(task, 2).state_dict()
    for name, value in wanted.items():
        assert torch.allclose(found[name], value, atol=1e-9), name


def test_paths_are_dropped_linearly_over_epochs_and_never_in_validation(task: Few) -> None:
    module, seen = new_module(task), []
    net = module.module.net
    net.register_forward_pre_hook(lambda net, _: seen.append((net.training, round(net.drop_path, 6))))
    with_second = net.with_auxiliary

    def noted(x: Tensor, head: nn.Module | None) -> tuple[Tensor, Tensor | None]:
        if head is not None:
            seen.append((net.training, round(net.drop_path, 6)))
        return with_second(x, head)

    net.with_auxiliary = noted  # type: ignore[method-assign, assignment]
    trained(module, range(3))
    rates = [[0.0] * 3, [0.1] * 3, [0.2] * 3]
    assert [rate for training, rate in seen if training] == [rate for epoch in rates for rate in epoch]
    assert {rate for training, rate in seen if not training} == {0.0}
    assert RECIPE.drop_path_in(3) == pytest.approx(0.3)


def test_a_training_that_goes_on_elsewhere_ends_with_equal_numbers(task: Few) -> None:
    whole = trained(new_module(task), range(3)).module
    first = copy.deepcopy(trained(new_module(task), range(1)).state())
    second = new_module(task)
    second.load_state(first)
    rest = trained(second, range(1, 3)).module
    assert rest.second is not None
    for name, value in whole.state_dict().items():
        assert torch.equal(rest.state_dict()[name], value), name
    assert any(name.startswith("second.") for name in whole.state_dict())
    assert not any("second" in name or "head" in name for name in whole.trained.state_dict())


def test_statistics_are_averaged_over_whole_nets(task: Few) -> None:
    recipe = dataclasses.replace(RECIPE, bn_batches=2)
    module, rates = new_module(task, recipe), []
    net = module.module.net
    assert isinstance(net, PathsNet)
    net.register_forward_pre_hook(lambda net, _: rates.append(net.drop_path))
    trained(module, range(2))
    assert rates
    assert set(rates) == {0.0}


class Plain(nn.Module):
    """Neither drops paths nor has a second classifier."""


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("auxiliary_weight", "the methods auxiliary_head and with_auxiliary"),
        ("drop_path", "the attribute drop_path"),
    ],
)
def test_a_net_that_lacks_what_a_recipe_asks_for_is_refused(option: str, what: str) -> None:
    recipe = parse_recipe(f"fast:{option}=0.4")
    said = f"The recipe option {option} needs a net with {what}, such as those of the space darts, got "
    with pytest.raises(UsageError) as refused:
        check_takes(Plain(), recipe)
    assert str(refused.value) == f"{said}Plain; give {option}=0."
    with pytest.raises(UsageError) as early:
        ShortTraining(NatsTss(), 10, ImageDataModule("digits").train_images, recipe)
    assert str(early.value) == f"{said}TssNet; give {option}=0."
    check_takes(Plain(), parse_recipe("fast"))


def test_recipes_are_those_of_the_paper() -> None:
    recipe = parse_recipe("darts-600")
    assert (recipe.epochs, recipe.batch_size, recipe.lr, recipe.momentum, recipe.nesterov) == (
        600, 96, 0.025, 0.9, False)  # fmt: skip
    assert (recipe.weight_decay, recipe.clip_grad_norm, recipe.cutout, recipe.schedule) == (
        3e-4, 5.0, 16, "cosine")  # fmt: skip
    assert (recipe.auxiliary_weight, recipe.drop_path) == (0.4, 0.2)
    assert recipe.drop_path_in(300) == pytest.approx(0.1)


def test_what_told_trainings_apart_before_still_does() -> None:
    """Folders of earlier versions hold no option that they did not have."""
    known = {field.name for field in dataclasses.fields(Recipe)}
    assert list(parse_recipe("nats-12").written()) == [
        field.name for field in dataclasses.fields(Recipe) if field.name not in ADDED
    ]
    assert set(parse_recipe("nats-12:drop_path=0.1").written()) == known - set(ADDED) | {"drop_path"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("darts-fast:drop_path=1", "The recipe option drop_path must be from 0 to below 1, got 1.0."),
        ("fast:auxiliary_weight=-1", "The recipe option auxiliary_weight must be "),
    ],
)
def test_values_out_of_range_are_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_recipe(text)


def batch(count: int) -> Batch:
    return torch.randn(count, 3, 16, 16).double(), torch.arange(count) % 10


def test_the_loss_that_is_reported_is_that_of_the_net_itself(task: Few) -> None:
    module = new_module(task).module
    inputs, targets = batch(8)
    with torch.no_grad():
        total = module.training_step((inputs, targets), 0)
    own = module._sums["train"][0] / 8
    assert float(total) > float(own) + 0.4  # a second loss of about ln 10, times 0.4
