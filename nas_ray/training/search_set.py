"""The images of a one-shot search: one part trains weights, another the weights of architectures."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from torch.utils.data import DataLoader

from nas_ray.errors import UsageError
from nas_ray.images.leaks import copies_between
from nas_ray.images.splits import NetImages
from nas_ray.runs.folder import fingerprint
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Batch
from nas_ray.training.training_data import (
    VALID_BATCH,
    Indices,
    KeptImages,
    split_indices,
    training_loader,
    validation_loader,
)

FEWEST = 2
"""Images of each part: batch normalisation needs as many."""
ARCH_STREAM = 2**33
"""What is added to a seed for the order of the second part, so that both orders are independent."""


class SearchSet:
    """Images in two disjoint parts, each with its share of every class, drawn at random by `split_seed`.

    Args:
        images: of the training split.
        recipe: batch size and augmentation of both parts; its `valid_fraction` is the share of the second
            part, and `data_fraction` the share of each part that is used.
        split_seed: draws the parts.

    Raises:
        UsageError: too few images to split.
    """

    unit = "images"

    def __init__(self, images: NetImages, recipe: Recipe, *, split_seed: int = 0) -> None:
        self.images, self.recipe, self.split_seed = images, recipe, split_seed
        self._device = torch.device("cpu")
        self.weights_part, self.arch_part = self._split()

    def __len__(self) -> int:
        """Returns the steps of an epoch: the batches of the first part."""
        return len(training_loader(self._weights, self.recipe, 0))

    def pairs(self, seed: int, epoch: int) -> Pairs:
        """Returns the steps of an epoch, in an order drawn from seed and epoch."""
        return Pairs(self, seed, epoch)

    def weights_batches(self, seed: int, epoch: int) -> DataLoader[Batch]:
        """Returns the augmented batches of the first part."""
        return training_loader(self._weights, self.recipe, seed, epoch)

    def arch_batches(self, seed: int, epoch: int) -> Iterator[Batch]:
        """Yields augmented batches of the second part without end; each pass has an order of its own."""
        for turn in itertools.count():
            yield from training_loader(self._arch, self.recipe, seed + ARCH_STREAM * (1 + turn), epoch)

    def valid_batches(self, size: int = VALID_BATCH) -> DataLoader[Batch]:
        """Returns batches of the second part without augmentation, in their own order."""
        return validation_loader(self._arch.augmented_by(None), size)

    def in_batches(self, size: int) -> SearchSet:
        """Returns the same images in batches of another size, kept once for both."""
        recipe = dataclasses.replace(self.recipe, batch_size=size)
        other = copy.copy(self)
        other.recipe = recipe
        vars(other).update(_weights=self._weights.augmented_by(recipe), _arch=self._arch.augmented_by(recipe))
        return other

    def to(self, device: torch.device) -> None:
        """Takes the device on which images are kept."""
        if device != self._device:
            self._device = device
            for name in ("_weights", "_arch"):
                vars(self).pop(name, None)

    @property
    def copies(self) -> int:
        """How many images of the second part are copies of one of the first."""
        return len(copies_between(self.images, self.weights_part, self.arch_part))

    @property
    def fingerprint(self) -> str:
        """A hash of which images are in which part."""
        return fingerprint(self.weights_part, self.arch_part, self.images.labels)

    def _split(self) -> tuple[Indices, Indices]:
        weights, arch = split_indices(self.images.labels, self.recipe, self.split_seed)
        arch = _some(arch, self.recipe.data_fraction, self.split_seed)
        if min(len(weights), len(arch)) < FEWEST:
            raise UsageError(
                f"A one-shot search needs {FEWEST} images or more to train weights and as many to train "
                f"architecture weights, but of {len(self.images)} they are {len(weights)} and {len(arch)}; "
                "bring more images, or change --search-set or --data-fraction."
            )
        return weights, arch

    @cached_property
    def _weights(self) -> KeptImages:
        return KeptImages(self.images, self.weights_part, self.recipe, self._device)

    @cached_property
    def _arch(self) -> KeptImages:
        return KeptImages(self.images, self.arch_part, self.recipe, self._device)


def _some(part: Indices, share: float, seed: int) -> Indices:
    """Returns a random share of the positions of a part, sorted."""
    count = max(1, round(share * len(part)))
    return np.sort(np.random.default_rng((seed, 1)).permutation(part)[:count])


class Pairs:
    """The steps of one epoch: a batch for the weights and one for the architecture weights."""

    def __init__(self, images: SearchSet, seed: int, epoch: int) -> None:
        self._images, self._seed, self._epoch = images, seed, epoch

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[tuple[Batch, Batch]]:
        weights = self._images.weights_batches(self._seed, self._epoch)
        return zip(weights, self._images.arch_batches(self._seed, self._epoch), strict=False)
