"""The images of a training: which are used, how they are kept, and the batches of every epoch."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from nas_ray.errors import UsageError
from nas_ray.images.splits import NetImages
from nas_ray.training import augment
from nas_ray.training.recipes import Recipe

Indices = npt.NDArray[np.int64]
Batch = tuple[Tensor, Tensor]

MOST_BYTES = 4 * 2**30
"""Images that take more than this as 8-bit pixels are decoded batch by batch instead of kept."""
VALID_BATCH = 512
"""Images of one step of validation, which needs no gradients."""


def split_indices(labels: Indices, recipe: Recipe, seed: int = 0) -> tuple[Indices, Indices]:
    """Returns the positions that are trained on and those held out for `valid_acc`, both sorted.

    Each class gives the same share to the held-out part, at least one image where it has two. Of the rest,
    `data_fraction` is used: a random part, or with `balanced` equally many of each class. With
    `valid_on_training_images` as many of those that are trained on stand in place of what is held out.

    Args:
        labels: `[N]` of the whole training split.
        recipe: says the shares.
        seed: of the draws; the same for all archs of a run.

    Raises:
        UsageError: one of both would be empty.
    """
    rng = np.random.default_rng(seed)
    classes = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    share = recipe.valid_fraction
    counts = [max(round(share * len(of)), min(1, len(of) - 1)) if share else 0 for of in classes]
    valid = np.concatenate([of[:count] for of, count in zip(classes, counts, strict=True)])
    rest = [of[count:] for of, count in zip(classes, counts, strict=True)]
    wanted = recipe.data_fraction * sum(map(len, rest))
    if recipe.balanced:
        each = int(min(max(1, wanted // len(rest)), min(map(len, rest))))
        train = np.concatenate([of[:each] for of in rest])
    else:
        train = rng.permutation(np.concatenate(rest))[: max(1, round(wanted))]
    if len(train) == 0 or (recipe.valid_fraction and len(valid) == 0):
        raise UsageError(
            f"A training needs images to train on and to validate with, but of {len(labels)} "
            f"{len(train)} and {len(valid)} are left; change data_fraction or valid_fraction."
        )
    if recipe.valid_on_training_images:
        valid = rng.permutation(train)[: len(valid)]
    return np.sort(train), np.sort(valid)


@dataclass(frozen=True)
class Draw:
    """One batch: what it holds and the seed of its augmentation.

    Attributes:
        places: `[B]` int64, positions in the kept images.
        seed: of the augmentation.
    """

    places: Tensor
    seed: int


class KeptImages(Dataset[Batch]):
    """Some images as 8-bit pixels on a device, and the batches made of them there.

    Where they would take more than `most_bytes`, they are decoded when a batch needs them.

    Args:
        images: all images of a split.
        indices: those that are used.
        recipe: the augmentation; None for none, as in validation.
        device: where they are kept.
        most_bytes: limit for keeping.
    """

    def __init__(
        self,
        images: NetImages,
        indices: Indices,
        recipe: Recipe | None = None,
        device: torch.device | str = "cpu",
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.images = images
        self.indices = indices
        self.recipe = recipe
        self.device = torch.device(device)
        self.labels = torch.tensor(images.labels[indices]).to(self.device)
        self.keeps = len(indices) * 3 * images.size**2 <= most_bytes
        self._mean, self._std = (
            torch.tensor(values, device=self.device).view(3, 1, 1)
            for values in (images.stats.mean, images.stats.std)
        )

    def __len__(self) -> int:
        return len(self.indices)

    def augmented_by(self, recipe: Recipe | None) -> KeptImages:
        """Returns the same images, kept once for both, with the augmentation of `recipe`, if any."""
        if recipe == self.recipe:
            return self
        if self.keeps:
            _ = self._all
        other = copy.copy(self)
        other.recipe = recipe
        vars(other).pop("_policy", None)
        return other

    def __getitem__(self, draw: Draw) -> Batch:
        """Returns inputs `[B, 3, S, S]` float32, augmented and standardised, and targets `[B]`."""
        places = draw.places.to(self.device, non_blocking=True)
        pixels = self._all[places] if self.keeps else self._decode(draw.places)
        return self._prepared(pixels, draw.seed), self.labels[places]

    @cached_property
    def _all(self) -> Tensor:
        return self._decode(torch.arange(len(self)))

    def _decode(self, places: Tensor) -> Tensor:
        pixels = torch.empty(len(places), 3, self.images.size, self.images.size, dtype=torch.uint8)
        for row, place in enumerate(places.tolist()):
            pixels[row] = (self.images.resized(int(self.indices[place])) * 255).round()
        return pixels.to(self.device)

    def _prepared(self, pixels: Tensor, seed: int) -> Tensor:
        recipe = self.recipe
        if recipe is None:
            return (pixels.float() / 255 - self._mean) / self._std
        generator = torch.Generator().manual_seed(seed)
        if recipe.autoaugment != "none":
            pixels = augment.by_policy(pixels, self._policy, seed)
        if recipe.flip:
            pixels = augment.mirror(pixels, generator)
        if recipe.crop_padding:
            pixels = augment.shift(pixels, recipe.crop_padding, generator)
        images = (pixels.float() / 255 - self._mean) / self._std
        if recipe.cutout:
            images = augment.cutout(images, recipe.cutout, generator)
        return images.contiguous()

    @cached_property
    def _policy(self) -> augment.Policy:
        return augment.policy(self.recipe.autoaugment if self.recipe else "none")


class EpochSampler(Sampler[Draw]):
    """The batches of an epoch, a function of seed and epoch alone, so that any epoch can be repeated.

    Lightning calls `set_epoch` before every epoch. A training has no last batch of a single image, of which
    batch normalisation could not take the spread where maps have one pixel: that image joins the batch
    before it.

    Args:
        count: images in all.
        batch_size: images of a batch; the last may be smaller, or in a training larger by one.
        seed: of order and augmentation.
        shuffle: whether the order is random, as in a training.
        first_epoch: what Lightning's epoch 0 is.
        rank: number of this process, which takes every `world`-th image.
        world: processes that share an epoch; all get equally many images, some may come twice.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        first_epoch: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._count, self._batch_size = count, batch_size
        self._seed, self._shuffle = seed, shuffle
        self._first, self._epoch = first_epoch, 0
        self._rank, self._world = rank, world

    def set_epoch(self, epoch: int) -> None:
        """Takes the number of the epoch, counted from `first_epoch`."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._starts(-(-self._count // self._world)))

    def __iter__(self) -> Iterator[Draw]:
        rng = np.random.default_rng((self._seed, self._first + self._epoch))
        order = rng.permutation(self._count) if self._shuffle else np.arange(self._count)
        missing = -self._count % self._world
        own = np.concatenate([order, order[:missing]])[self._rank :: self._world]
        starts = self._starts(len(own))
        for start, end in zip(starts, [*starts[1:], len(own)], strict=True):
            seed = int(rng.integers(2**62)) + self._rank
            yield Draw(torch.from_numpy(own[start:end]), seed)

    def _starts(self, count: int) -> range:
        """Returns where the batches of `count` images begin."""
        single = self._shuffle and 1 < self._batch_size < count and count % self._batch_size == 1
        return range(0, count - single, self._batch_size)


def smallest_batch(count: int, recipe: Recipe, world: int = 1) -> int:
    """Returns the images of the smallest batch that one of `world` processes gets of `count` images."""
    size = max(1, recipe.batch_size // world)
    return min(len(draw.places) for draw in EpochSampler(count, size, world=world))


def training_loader(
    images: KeptImages, recipe: Recipe, seed: int, epoch: int = 0, *, rank: int = 0, world: int = 1
) -> DataLoader[Batch]:
    """Returns the augmented batches of the epochs from `epoch` on; `world` processes share each batch."""
    size = max(1, recipe.batch_size // world)
    sampler = EpochSampler(len(images), size, seed=seed, first_epoch=epoch, rank=rank, world=world)
    return DataLoader(images, batch_size=None, sampler=sampler)


def validation_loader(images: KeptImages, size: int = VALID_BATCH) -> DataLoader[Batch]:
    """Returns the batches of `images` in their own order."""
    sampler = EpochSampler(len(images), size, shuffle=False)
    return DataLoader(images, batch_size=None, sampler=sampler)


def balancing_weights(labels: Indices, num_classes: int) -> list[float]:
    """Returns a weight per class `[num_classes]`, inverse to how often it occurs, 0 where it never does.

    Their mean over the images is 1.
    """
    counts = np.bincount(labels, minlength=num_classes)
    present = counts > 0
    weights = np.zeros(num_classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return [float(weight) for weight in weights]
