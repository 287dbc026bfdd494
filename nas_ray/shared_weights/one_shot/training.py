"""One-shot searches as trials: what is asked is a method with its settings, what is found is an arch."""

from __future__ import annotations

import dataclasses
import json
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import torch
from torch.nn.functional import cross_entropy

from nas_ray.errors import UsageError
from nas_ray.errors.checks import Kind, check_all, having, instance, real, whole
from nas_ray.evaluation.base import changed
from nas_ray.evaluation.epoch_training import EpochTraining
from nas_ray.images.splits import NetImages
from nas_ray.process.seeded import seeded
from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.methods.named import parse_method
from nas_ray.shared_weights.methods.recurrent import for_streams, of_text
from nas_ray.shared_weights.methods.search import OneShotSearch
from nas_ray.shared_weights.one_shot.asked import NetSize as NetSize
from nas_ray.shared_weights.one_shot.asked import is_pruning as is_pruning
from nas_ray.shared_weights.one_shot.asked import pruning_of as pruning_of
from nas_ray.shared_weights.one_shot.epochs import OneShotEpochs
from nas_ray.shared_weights.one_shot.pruned import PrunedEpochs
from nas_ray.spaces.base import questions
from nas_ray.spaces.edges import EdgeSpace
from nas_ray.training.epoch_module import EpochModule, quiet_trainer
from nas_ray.training.expected import Epoch, Expected, epoch_of_images, epoch_of_task, seconds_of
from nas_ray.training.recipes import Recipe
from nas_ray.training.search_set import SearchSet
from nas_ray.training.text_search_set import TextSearchSet
from nas_ray.training.text_task import TextTask

_GIVEN: Final = {
    "space": having(EdgeSpace, "a space of edges", *questions(EdgeSpace), "build"),
    "num_classes": whole(1),
    "images": Kind(
        "the images of a split, such as train_images of open_images(...), or a TextTask",
        lambda value: isinstance(value, (NetImages, TextTask)),
    ),
    "recipe": instance(Recipe, "a Recipe, which says batch size and augmentation"),
    "epochs": whole(1).or_none,
    "batch_size": whole(1).or_none,
    "split_seed": whole(0),
    "arch_lr": real(0, above=True).or_none,
}


class OneShotTraining(EpochTraining):
    """Runs the one-shot search that an arch such as `gdas,epochs=20,seed=3` names; a row per epoch.

    A row has `found`, the arch that the weights of the epoch give, `found_best`, that of the epoch with the
    best `valid_acc`, which is the accuracy of the supernet on the images of the architecture weights,
    `train_acc`, both losses, `skips` (skip connections of what was found), `entropy` of the architecture
    weights in nats, `trajectory` (see `Trajectory.from_text`), and what `EpochTraining` adds.

    Args:
        space: where archs are found; it has a trainable supernet.
        num_classes: outputs of the supernet.
        images: the training split; or a text, whose held-out part trains architecture weights.
        recipe: augmentation and split of the images, dropouts and pieces of a text; the batch size is that of
            the method.
        epochs: of every method that does not say its own; None for the published number of each.
        size: of the supernet.
        split_seed: draws the two parts of the images.
        batch_size: of every method that does not say its own; None for the published one.
        arch_lr: learning rate of the architecture weights of every method that learns by gradient and does
            not say its own; None for the published one.
        curvature: whether `lambda_max`, the largest eigenvalue of the validation loss, is measured.
        checkpoints: folder of unfinished searches, which all workers must see; None for none.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
        beside_pruning: whether searches without training run as well, whose time cannot be foretold.

    Raises:
        UsageError: too few images to split, or a space without a supernet.
    """

    def __init__(
        self,
        space: EdgeSpace,
        num_classes: int,
        images: NetImages | TextTask,
        *,
        recipe: Recipe,
        epochs: int | None = None,
        size: NetSize | None = None,
        split_seed: int = 0,
        batch_size: int | None = None,
        arch_lr: float | None = None,
        curvature: bool = False,
        checkpoints: Path | None = None,
        accelerator: str = "cpu",
        beside_pruning: bool = False,
    ) -> None:
        given = {"space": space, "num_classes": num_classes, "images": images, "recipe": recipe}
        numbers = {"epochs": epochs, "batch_size": batch_size, "split_seed": split_seed, "arch_lr": arch_lr}
        check_all(_GIVEN, {**given, **numbers})
        super().__init__(None, epochs=epochs or 1, kind="one-shot", checkpoints=checkpoints)
        self.space, self.num_classes, self.images = space, num_classes, images
        self.recipe, self.size, self.split_seed = recipe, size or NetSize(), split_seed
        self.given_epochs, self.batch_size, self.arch_lr = epochs, batch_size, arch_lr
        self.curvature, self.beside_pruning = curvature, beside_pruning
        self.accelerator = accelerator
        self.parts = self._parts()  # refuses what cannot be split

    def _parts(self) -> SearchSet | TextSearchSet:
        if not isinstance(self.images, TextTask):
            return SearchSet(self.images, self.recipe, split_seed=self.split_seed)
        recipe = self.recipe
        if self.batch_size is not None:
            recipe = dataclasses.replace(recipe, batch_size=self.batch_size)
        return TextSearchSet(self.images, recipe)

    def method_of(self, arch: str) -> tuple[Method, int]:
        """Returns the method of a setting with its numbers, and the seed.

        Raises:
            UsageError: no method.
        """
        method, settings = parse_method(arch)
        own = {part.partition("=")[0].strip() for part in arch.split(",")}
        if isinstance(self.images, TextTask):
            method = of_text(method, own)
        given: dict[str, Any] = {"epochs": self.given_epochs, "batch_size": self.batch_size}
        if method.learns_by_gradient:
            given["arch_lr"] = self.arch_lr
        changes = {name: value for name, value in given.items() if value is not None and name not in own}
        method = dataclasses.replace(method, **changes)
        if isinstance(self.images, TextTask):
            method = for_streams(method, own)
        return method, settings.get("seed", 0)

    def last_epoch(self, arch: str) -> int:
        """Returns the epochs of the method; 1 where nothing is trained."""
        return 1 if is_pruning(arch) else self.method_of(arch)[0].epochs

    def new_module(self, arch: str, seed: int) -> EpochModule:
        """Returns the search of a setting, not yet begun; it has its own seed."""
        if is_pruning(arch):
            return self._pruning(arch, seed)
        method, own = self.method_of(arch)
        images = self.images_for(method)
        images.to(self._device)
        return OneShotEpochs(
            self._search_of(arch, seed, len(images)),
            self.space,
            images,
            seed + own,
            accelerator=self.accelerator,
            curvature=self.curvature,
        )

    def _pruning(self, arch: str, seed: int) -> PrunedEpochs:
        pruning, own = pruning_of(arch)
        self.parts.to(self._device)
        classes, name = self.num_classes, arch.partition(",")[0]
        if not isinstance(self.parts, SearchSet):
            raise UsageError(f"The search {name} looks at images and reads no text; take darts1 or another.")
        return PrunedEpochs(
            pruning, self.space, classes, self.parts, seed + own, device=self._device, name=name
        )

    def foretold(self, arch: str, *, accelerator: str = "cpu", threads: int | None = None) -> Expected:
        """Returns how long the search of a setting takes here, from a few steps on one batch.

        Later stages of a method, and what it does to derive an arch at the end, may take longer or shorter.
        """
        if is_pruning(arch) or self.beside_pruning:
            raise ValueError("searches without training have no step that can be measured")
        method, _ = self.method_of(arch)
        recipe = dataclasses.replace(self.recipe, batch_size=method.batch_size)
        epoch = self._epoch(recipe)
        placed = changed(self, accelerator=accelerator)
        with seeded(self.init_seed):
            search, batch = placed._search_of(arch, self.init_seed, epoch.steps), epoch.draw()
            search.begin_epoch(0)
            clock = partial(seconds_of, threads=threads, device=placed._device)
            step = clock(lambda: search.step(epoch.draw(), batch))
            forward = clock(lambda: search.evaluate([batch]))
        return Expected(method.epochs, epoch.steps * step + epoch.passes * forward, epoch.once)

    def _epoch(self, recipe: Recipe) -> Epoch:
        if isinstance(self.images, TextTask):
            return epoch_of_task(self.images, recipe)
        assert isinstance(self.parts, SearchSet)
        return epoch_of_images(self.images, (self.parts.weights_part, self.parts.arch_part), recipe)

    def _search_of(self, arch: str, seed: int, steps: int) -> OneShotSearch:
        method, own = self.method_of(arch)
        settings = parse_method(arch)[1]
        return OneShotSearch(
            method,
            self.space,
            self.num_classes,
            image_size=None if isinstance(self.images, TextTask) else self.images.size,
            epochs=method.epochs,
            steps_per_epoch=steps,
            seed=seed + own,
            channels=settings.get("channels", self.size.channels),
            cells=settings.get("cells", self.size.cells),
            loss=TextTask.loss if isinstance(self.images, TextTask) else cross_entropy,
            device=self._device,
            recipe=self.recipe,
        )

    def images_for(self, method: Method) -> SearchSet | TextSearchSet:
        """Returns the images in batches of the size that the method has."""
        if method.batch_size == self.parts.recipe.batch_size:
            return self.parts
        return self.parts.in_batches(method.batch_size)

    @cached_property
    def _device(self) -> torch.device:
        return quiet_trainer(self.accelerator, self.recipe).strategy.root_device

    @cached_property
    def fingerprint(self) -> str:
        """A hash of images, parts and settings."""
        return json.dumps([self.images.sha256, self.earlier_fingerprint])

    @property
    def earlier_fingerprint(self) -> str:
        """A hash of which images are in which part."""
        return self.parts.fingerprint

    def identities(self) -> tuple[str, None]:
        """Returns what a checkpoint must say to be gone on from: all but the method, which is the arch."""
        options = [dataclasses.asdict(self.recipe), dataclasses.asdict(self.size), self.given_epochs]
        numbers = [self.batch_size, self.arch_lr, self.curvature]
        return json.dumps([self.fingerprint, *options, *numbers, self.init_seed]), None

    def described(self) -> str:
        """Returns on how many images weights and architecture weights are trained."""
        weights, arch = len(self.parts.weights_part), len(self.parts.arch_part)
        return f"weights on {weights:,} {self.parts.unit}, architecture weights on {arch:,} others"
