"""Images and their classes as a task."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from nas_ray.images.drawing import draw
from nas_ray.images.identity import joined_sha256
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.splits import NetImages
from nas_ray.runs.folder import fingerprint
from nas_ray.training.objective import ClassLoss, percent_right
from nas_ray.training.recipes import Recipe
from nas_ray.training.settings import SAME_IMAGES
from nas_ray.training.task import Batch, Loss
from nas_ray.training.training_data import (
    Indices,
    KeptImages,
    balancing_weights,
    split_indices,
    training_loader,
    validation_loader,
)

Loader: TypeAlias = DataLoader[Batch]


class ImageTask:
    """Tells the classes of images, whose training split a recipe parts, augments and weighs.

    Images are decoded once, kept as 8-bit pixels on one device and augmented there.

    Args:
        images: of the training split; a recipe's `valid_fraction` of it is held out.
        num_outputs: classes.
        split_seed: draws what is held out.
        scored: images and labels on which proxies score; None draws 64 by `split_seed`.
    """

    metric_name = "acc"

    def __init__(
        self, images: NetImages, num_outputs: int, *, split_seed: int = 0, scored: Batch | None = None
    ) -> None:
        self.images = images
        self.num_outputs = num_outputs
        self.split_seed = split_seed
        self._scored = scored
        self._device = torch.device("cpu")
        self._parts: dict[tuple[object, ...], tuple[Indices, Indices]] = {}
        self._kept: tuple[tuple[object, ...], KeptImages, KeptImages] | None = None

    @classmethod
    def of(cls, data: ImageDataModule) -> ImageTask:
        """Returns the task of the images of a search, with its minibatch and its split."""
        seed = data.batch_seed
        return cls(data.train_images, data.num_classes, split_seed=seed, scored=data.minibatch())

    def minibatch(self) -> Batch:
        """Returns images `[B, 3, S, S]` float32, standardised and not augmented, and labels `[B]` int64."""
        if self._scored is None:
            order = np.random.default_rng(self.split_seed).permutation(len(self.images))
            drawn = draw(self.images, order, min(64, len(self.images)))
            self._scored = drawn.inputs, drawn.targets
        inputs, targets = self._scored
        return inputs.clone(), targets.clone()

    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[Loader, Loader]:
        """Returns the augmented batches of an epoch, and the held-out images in their own order."""
        train, valid = self._kept_for(recipe)
        return training_loader(train, recipe, seed, epoch), validation_loader(valid)

    def parts(self, recipe: Recipe) -> tuple[Indices, Indices]:
        """Returns the positions that are trained on and those held out.

        Raises:
            UsageError: too few images for the split.
        """
        key = used(recipe)
        if key not in self._parts:
            self._parts[key] = split_indices(self.images.labels, recipe, self.split_seed)
        return self._parts[key]

    def training_loss(self, recipe: Recipe) -> Loss:
        """Returns cross-entropy with the recipe's smoothing and, if it asks for them, weights of classes."""
        labels = self.images.labels[self.parts(recipe)[0]]
        weights = balancing_weights(labels, self.num_outputs) if recipe.class_weights else None
        return ClassLoss(weights, recipe.label_smoothing)

    @staticmethod
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the cross-entropy in nats of `[B, classes]` and `[B]`."""
        return cross_entropy(outputs, targets)

    @staticmethod
    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns 100 for each image that is told rightly, else 0."""
        return percent_right(outputs, targets)

    def to(self, device: torch.device) -> None:
        """Takes the device on which images are kept."""
        if device != self._device:
            self._device, self._kept = device, None

    def fingerprint(self, recipe: Recipe) -> str:
        """Returns a hash of what a training sees: all images, and which of them are used for what."""
        return joined_sha256(self.images.sha256, self.earlier_fingerprint(recipe))

    def earlier_fingerprint(self, recipe: Recipe) -> str:
        """Returns what runs of before told images by: which, their labels, and the first of them."""
        train, valid = self.parts(recipe)
        return fingerprint(train, valid, self.images.labels, self.images.resized(int(train[0])).numpy())

    def _kept_for(self, recipe: Recipe) -> tuple[KeptImages, KeptImages]:
        """Returns the images of both parts, decoded once for all recipes that use the same."""
        if self._kept is None or self._kept[0] != used(recipe):
            train, valid = self.parts(recipe)
            kept = KeptImages(self.images, train, recipe, self._device)
            self._kept = used(recipe), kept, KeptImages(self.images, valid, None, self._device)
        return self._kept[1].augmented_by(recipe), self._kept[2]


def used(recipe: Recipe) -> tuple[object, ...]:
    """Returns what a recipe says of which images are used."""
    return tuple(getattr(recipe, name) for name in SAME_IMAGES)
