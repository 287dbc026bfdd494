"""Short training as performance estimation: a row per epoch, so that a scheduler can stop early."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from nas_ray.errors import UsageError
from nas_ray.errors.checks import instance
from nas_ray.evaluation.base import Evaluator, changed
from nas_ray.evaluation.epoch_training import EpochTraining
from nas_ray.images.splits import NetImages
from nas_ray.process.seeded import seeded
from nas_ray.spaces.base import SPACE, SearchSpace
from nas_ray.terminal.text import counted
from nas_ray.training.epoch_module import RecipeModule
from nas_ray.training.epoch_module import quiet_trainer as quiet_trainer
from nas_ray.training.expected import Expected, epoch_of_task, epoch_seconds
from nas_ray.training.image_task import ImageTask
from nas_ray.training.lazy_layers import materialised
from nas_ray.training.objective import objective_of
from nas_ray.training.recipes import Recipe
from nas_ray.training.second_classifier import check_nets
from nas_ray.training.settings import Recipes, recipe_with
from nas_ray.training.task import TRAINED_TASK, PlacedTask, Task
from nas_ray.training.text_task import TextTask
from nas_ray.training.training_data import Indices
from nas_ray.training.training_module import training_module


class ShortTraining(EpochTraining):
    """Trains archs by a recipe for a few epochs and reports `valid_acc`, in percent, after each of them.

    A row has `valid_acc`, `train_acc`, `valid_loss`, `train_loss` and what `EpochTraining` adds; a task may
    name another metric than `acc`. On one device and with one number of threads rows are equal for
    equal arguments, whatever was trained before and however often the training was interrupted: order and
    augmentation of an epoch depend on seed and epoch alone. The test images are never seen.

    Args:
        space: how an arch becomes a net; the settings of a point of a `Product` change its recipe.
        num_classes: outputs of the net.
        images: the training split; the recipe's `valid_fraction` of it is held out for `valid_acc`. Or any
            `Task` (see `of_task`).
        recipe: how nets are trained.
        until: epochs to train for; the schedule is that of the whole recipe. None means all.
        init_seed: seed of the first net's initialisation, order and augmentation; the next seeds follow.
        split_seed: seed of the split of images.
        checkpoints: folder of unfinished trainings, which all workers must see; None for none.
        keep_checkpoints: leave them when an arch is done, for a later training to a higher `until`.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
        scores: evaluates an arch before it is trained, such as `ProxyScores`; its columns join the rows.

    Raises:
        UsageError: `until` is no epoch of the recipe, settings do not fit it, too few images to split, or an
            option of the recipe, or a setting beside an arch, that the task or the nets cannot follow.
    """

    def __init__(
        self,
        space: SearchSpace,
        num_classes: int,
        images: NetImages | Task,
        recipe: Recipe,
        *,
        until: int | None = None,
        init_seed: int = 0,
        split_seed: int = 0,
        checkpoints: Path | None = None,
        keep_checkpoints: bool = False,
        accelerator: str = "cpu",
        scores: Evaluator | None = None,
    ) -> None:
        SPACE.check("space", space)
        instance(Recipe, "a Recipe, such as parse_recipe('epochs:4')").check("recipe", recipe)
        if not isinstance(images, NetImages):
            TRAINED_TASK.check("task", images)
        task: Task = (
            images
            if not isinstance(images, NetImages)
            else ImageTask(images, num_classes, split_seed=split_seed)
        )
        super().__init__(
            None,
            epochs=recipe.epochs,
            kind="",  # the recipe tells them apart
            metric_column=objective_of(task, recipe).column,
            until=until,
            seeds=recipe.seeds,
            init_seed=init_seed,
            checkpoints=checkpoints,
            keep_checkpoints=keep_checkpoints,
            scores=scores,
        )
        if not recipe.valid_fraction and not isinstance(task, TextTask):
            what = "images" if isinstance(task, ImageTask) else "examples"
            raise UsageError(
                f"A search by {self.metric_column} needs held-out {what}; give valid_fraction above 0."
            )
        self.space = space
        self.num_classes = num_classes
        self.task = task
        self.recipe = recipe
        self.accelerator = accelerator
        self.recipe_of = Recipes(space, recipe)
        recipes = self.recipe_of.corners
        for one in recipes:
            objective_of(task, one)  # refuses what cannot be split or followed
        check_nets(space, num_classes, recipes)
        if isinstance(task, TextTask):  # which may be shorter than a batch
            task.loaders(max(recipes, key=lambda one: one.batch_size), init_seed, 0)

    @classmethod
    def of_task(cls, space: SearchSpace, task: Task, recipe: Recipe, **options: Any) -> ShortTraining:
        """Returns the training of the nets of `space` on `task`; `options` are those of the class."""
        TRAINED_TASK.check("task", task)
        return cls(space, task.num_outputs, task, recipe, **options)

    def with_settings(self, values: Mapping[str, Any]) -> ShortTraining:
        """Returns the same by a recipe in which options have other values, with all of its epochs.

        Raises:
            UsageError: no option, or a value that does not fit (`recipe_with`).
        """
        if not values:
            return self
        recipe = recipe_with(self.recipe, values)
        until = recipe.epochs if "epochs" in values else self.until
        options = {"recipe": recipe, "recipe_of": Recipes(self.space, recipe)}
        return changed(self, **options, until=until, seeds=recipe.seeds)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what is trained on; of images all, with their labels, and which are used."""
        return self.task.fingerprint(self.recipe)

    @cached_property
    def earlier_fingerprint(self) -> str:
        """What runs of before told images by: which, their labels, and the first of them."""
        task = self.task
        return task.earlier_fingerprint(self.recipe) if isinstance(task, ImageTask) else self.fingerprint

    @property
    def train_indices(self) -> Indices:
        """The positions of the images that are trained on."""
        return self._images.parts(self.recipe)[0]

    @property
    def valid_indices(self) -> Indices:
        """The positions of the images that are held out."""
        return self._images.parts(self.recipe)[1]

    def new_module(self, arch: str, seed: int) -> RecipeModule:
        """Returns the untrained module of `arch`, equal for equal states of torch's generator."""
        if isinstance(self.task, PlacedTask):
            self.task.to(self._device)
        recipe = self.recipe_of(arch)
        net = self.space.build(arch, self.num_classes)
        batches = self.task.loaders(recipe, seed, 0)[0]
        net = materialised(net, lambda: next(iter(batches))[0])
        module = training_module(self.task, net, recipe, len(batches))
        return RecipeModule(module, self.task, recipe, seed, self.accelerator)

    def described(self) -> str:
        """Returns how long it trains, and on how many images."""
        if isinstance(self.task, TextTask):
            return f"{counted(self.until, 'epoch')} on {self.task.described(self.recipe)}"
        if not isinstance(self.task, ImageTask):
            return super().described()
        train, valid = self.task.parts(self.recipe)
        epochs, images = counted(self.until, "epoch"), counted(len(train), "image")
        held = f"{len(valid):,} held out"
        if self.recipe.valid_on_training_images:
            held = f"{len(valid):,} of them for valid_acc as well (valid_on_training_images)"
        return f"{epochs} on {images}, {held}"

    def foretold(self, arch: str, *, accelerator: str = "cpu", threads: int | None = None) -> Expected:
        """Returns how long a training of `arch` takes here, from a few steps on one batch."""
        recipe = self.recipe_of(arch)
        epoch = epoch_of_task(self.task, recipe)
        with seeded(self.init_seed):
            net = materialised(self.space.build(arch, self.num_classes), lambda: epoch.draw()[0])
        module = training_module(self.task, net, recipe, epoch.steps)
        seconds = epoch_seconds(module.to("cuda" if accelerator == "gpu" else "cpu"), epoch, threads=threads)
        return Expected(self.last_epoch(arch) * self.seeds_of(arch), seconds, epoch.once)

    def last_epoch(self, arch: str) -> int:
        """Returns the epoch after which `arch` is done; `until` but for points with fewer epochs."""
        return min(self.until, self.recipe_of(arch).epochs)

    def seeds_of(self, arch: str) -> int:
        """Returns the seeds of the recipe of `arch`."""
        return self.recipe_of(arch).seeds

    def identities(self) -> tuple[str, str]:
        """Returns recipe, seed and data, now and as earlier versions told them."""
        seen = (self.fingerprint, self.earlier_fingerprint)
        now, earlier = (json.dumps([self.recipe.written(), self.init_seed, of]) for of in seen)
        return now, earlier

    @property
    def _images(self) -> ImageTask:
        if not isinstance(self.task, ImageTask):
            raise TypeError(f"{type(self.task).__name__} is no task of images.")
        return self.task

    @cached_property
    def _device(self) -> torch.device:
        return quiet_trainer(self.accelerator, self.recipe).strategy.root_device
