"""The training module against loops written out by hand."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from nas_ray.evaluation.short_training import quiet_trainer
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.splits import ArrayPixels, ChannelStats, NetImages, Split
from nas_ray.spaces import HandDesigned
from nas_ray.spaces.hand_designed import NETS
from nas_ray.training.objective import Objective, class_objective
from nas_ray.training.recipes import Recipe, parse_recipe
from nas_ray.training.training_data import KeptImages, training_loader, validation_loader
from nas_ray.training.training_module import TrainingModule


def small_net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)
        )


@pytest.fixture(scope="module")
def digits() -> ImageDataModule:
    return ImageDataModule("digits")


def fitted(
    net: nn.Module, recipe: Recipe, digits: ImageDataModule, weights: list[float] | None = None
) -> TrainingModule:
    kept = KeptImages(digits.train_images, np.arange(160), recipe)
    loader = training_loader(kept, recipe, 0)
    module = TrainingModule(net, recipe, class_objective(recipe, weights), steps_per_epoch=len(loader))
    valid = validation_loader(KeptImages(digits.train_images, np.arange(160, 200)))
    quiet_trainer("cpu", recipe, epochs=recipe.epochs).fit(module, loader, valid)
    return module


def test_steps_are_those_of_a_plain_loop(digits: ImageDataModule) -> None:
    recipe = Recipe(epochs=2, batch_size=64, warmup_epochs=0.5, label_smoothing=0.1, clip_grad_norm=0.5)
    module = fitted(small_net(), recipe, digits)
    net = small_net()
    kept = KeptImages(digits.train_images, np.arange(160), recipe)
    velocity = [torch.zeros_like(parameter) for parameter in net.parameters()]
    step, total, right = 0, 0.0, 0
    for epoch in range(2):
        total, right = 0.0, 0
        for inputs, targets in training_loader(kept, recipe, 0, epoch):
            logits = net(inputs)
            loss = cross_entropy(logits, targets, label_smoothing=0.1)
            net.zero_grad()
            loss.backward()
            gradients = [parameter.grad for parameter in net.parameters() if parameter.grad is not None]
            norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
            done = step / 3  # epochs, of 3 steps each
            rate = 0.1 * (done / 0.5 if done < 0.5 else (1 + math.cos(math.pi * (done - 0.5) / 1.5)) / 2)
            with torch.no_grad():
                for parameter, gradient, moving in zip(net.parameters(), gradients, velocity, strict=True):
                    clipped = gradient * min(1.0, 0.5 / (norm + 1e-6)) + 5e-4 * parameter
                    moving.mul_(0.9).add_(clipped)
                    parameter -= rate * (clipped + 0.9 * moving)  # Nesterov's form
            total += float(loss.detach()) * len(targets)
            right += int((logits.argmax(1) == targets).sum())
            step += 1
    for ours, theirs in zip(module.net.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert module.results["train_loss"] == pytest.approx(total / 160, rel=1e-4)
    assert module.results["train_acc"] == pytest.approx(100 * right / 160)


def test_validation_is_that_of_the_net_in_evaluation_mode(digits: ImageDataModule) -> None:
    module = fitted(small_net(), Recipe(epochs=1, batch_size=64), digits)
    images = [digits.train_images[index] for index in range(160, 200)]
    inputs, targets = (
        torch.stack([image for image, _ in images]),
        torch.tensor([label for _, label in images]),
    )
    net = copy.deepcopy(module.net).eval()
    with torch.no_grad():
        logits = net(inputs)
    assert module.results["valid_acc"] == pytest.approx(
        100 * float((logits.argmax(1) == targets).float().mean())
    )
    assert module.results["valid_loss"] == pytest.approx(float(cross_entropy(logits, targets)), rel=1e-4)


def test_the_average_of_weights(digits: ImageDataModule) -> None:
    recipe = Recipe(epochs=1, batch_size=80, ema=0.75)
    module = fitted(small_net(), recipe, digits)
    first = fitted(small_net(), Recipe(epochs=2, batch_size=160, data_fraction=1.0), digits)
    assert first.average is None
    assert first.trained is first.net
    # two steps: the average begins at the weights after the first and then moves by a quarter
    assert module.average is not None
    kept = KeptImages(digits.train_images, np.arange(160), recipe)
    net = small_net()
    optimiser = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    weights = []
    for number, (inputs, targets) in enumerate(training_loader(kept, recipe, 0)):
        optimiser.param_groups[0]["lr"] = 0.1 * recipe.lr_factor(number, 2)
        optimiser.zero_grad()
        cross_entropy(net(inputs), targets).backward()
        optimiser.step()
        weights.append([parameter.detach().clone() for parameter in net.parameters()])
    for ours, one, two in zip(module.trained.parameters(), *weights, strict=True):
        torch.testing.assert_close(ours, 0.75 * one + 0.25 * two, atol=1e-5, rtol=1e-4)


def test_weights_of_classes_reach_the_loss(digits: ImageDataModule) -> None:
    only_zero = [1.0] + [0.0] * 9
    module = fitted(small_net(), Recipe(epochs=3, batch_size=40, lr=0.3), digits, only_zero)
    inputs = torch.stack([digits.train_images[index][0] for index in range(40)])
    with torch.no_grad():
        assert set(copy.deepcopy(module).eval()(inputs).argmax(1).tolist()) == {0}


@pytest.mark.parametrize(
    "change", [{"precision": "bf16-mixed"}, {"channels_last": False}, {"autoaugment": "trivial"}]
)
def test_other_ways_to_compute(digits: ImageDataModule, change: dict[str, object]) -> None:
    recipe = Recipe(**{"epochs": 1, "batch_size": 64, **change})  # type: ignore[arg-type]
    plain = fitted(small_net(), Recipe(epochs=1, batch_size=64), digits).results["train_loss"]
    changed = fitted(small_net(), recipe, digits).results["train_loss"]
    assert changed == pytest.approx(plain, rel=0.05 if "autoaugment" not in change else 0.5)


def test_statistics_are_those_of_the_batches(digits: ImageDataModule) -> None:
    recipe = Recipe(epochs=1, batch_size=64, bn_batches=2)
    module = fitted(small_net(), recipe, digits)
    assert isinstance(module.net, nn.Sequential)
    loader = training_loader(KeptImages(digits.train_images, np.arange(160), recipe), recipe, 0)
    first, second, _ = ((module.net[0](inputs)).mean((0, 2, 3)) for inputs, _ in loader)
    torch.testing.assert_close(module.net[1].running_mean, (first + second) / 2)


@pytest.mark.parametrize("arch", NETS)
def test_a_net_trains_where_one_image_is_left(arch: str) -> None:
    count = 5
    pixels = np.random.default_rng(0).integers(0, 256, (count + 2, 8, 8, 3), dtype=np.uint8)
    split = Split(ArrayPixels(pixels), np.arange(count + 2) % 3)
    images = NetImages(split, 8, ChannelStats((0.5, 0.4, 0.3), (0.25, 0.5, 0.2)))
    recipe = Recipe(epochs=1, batch_size=4, lr=0.001, bn_batches=1)
    loader = training_loader(KeptImages(images, np.arange(count), recipe), recipe, 0)
    with torch.device("meta"):  # the published initialisation takes seconds
        net = HandDesigned().for_image_size(8).build(arch, 3)
    net.to_empty(device="cpu")
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm2d)):
            module.weight.data.normal_(std=0.1)
            if module.bias is not None:
                module.bias.data.zero_()
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    training = TrainingModule(net, recipe, class_objective(recipe), steps_per_epoch=len(loader))
    valid = validation_loader(KeptImages(images, np.arange(count, count + 1)))
    quiet_trainer("cpu", recipe).fit(training, loader, valid)
    assert training._schedule.last_epoch == len(loader) == 1
    assert math.isfinite(training.results["train_loss"])


@pytest.mark.parametrize("shape", [(3,), (4, 2), (1, 4)])
def test_a_metric_is_a_number_or_one_per_example(shape: tuple[int, ...]) -> None:
    objective = Objective(cross_entropy, cross_entropy, lambda outputs, targets: torch.ones(shape))
    module = TrainingModule(nn.Linear(2, 3), parse_recipe("epochs:1"), objective, steps_per_epoch=1)
    with pytest.raises(ValueError, match="a metric must be a number or one per example, got shape"):
        module.validation_step((torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)), 0)
