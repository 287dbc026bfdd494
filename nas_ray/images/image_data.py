"""The images of a run as a LightningDataModule: one fixed minibatch for scoring, loaders for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from nas_ray.errors import UsageError
from nas_ray.images.datasets import OWN, get_dataset
from nas_ray.images.drawing import check_drawn, draw, said_of_repeats
from nas_ray.images.identity import joined_sha256
from nas_ray.images.leaks import said_of_copies
from nas_ray.images.own_data import own_dataset
from nas_ray.images.sources import open_images
from nas_ray.images.splits import NetImages, channel_stats
from nas_ray.process.lightning import pl


class ImageDataModule(pl.LightningDataModule):
    """Images of one source, at the size and with the classes that nets for `dataset` expect.

    The source is opened here and not in `setup`, so that bad input is told before anything starts. No image
    is augmented. No method draws from a global random state.

    Args:
        images: `auto`, `cifar10`, `cifar100`, `ImageNet16-120`, `digits`, `npz:PATH`, `folder:PATH` or
            `generated:DEFINITION`, such as `generated:shapes,seed=3`.
        dataset: the published dataset that nets are built for, or `own` for the classes and the size of the
            images of `folder:PATH`, `npz:PATH` or `generated:DEFINITION`.
        batch_size: images in a minibatch, at most the size of the training split.
        batch_seed: draws the minibatch and the order of training.
        root: folder that holds published datasets; default NAS_RAY_DATA, else ~/.cache/nas_ray, then
            TORCH_HOME.
        download: allow CIFAR to be fetched into that folder.
        image_size: pixels that own images are resized to; None takes it from them.
        split_seed: draws the test images of a folder without a test part.
        skip_unreadable: leave out files of a folder that cannot be decoded.

    Attributes:
        source: spec that opens the same images again: `auto` is resolved.
        description: one phrase: what the images are, how many, which size.
        note: what the user should know: that `auto` fell back to the digits, which folders are not used,
            which images were left out of the minibatch once it is drawn; else None.
        skipped: one line for each file that was left out.
        classes: names of the classes by number.
        num_classes: of `dataset`; every label lies below it.
        image_size: of `dataset`, in pixels; images of another size are resized to it.
        stats: mean and std per channel that the images are standardised with, in units where white is 1.
        train_images: map-style dataset of `([3, S, S] float32, label)`.
        test_images: the same, held out.

    Raises:
        UsageError: unknown source or dataset, unreadable images, a batch larger than the data.
    """

    def __init__(
        self,
        images: str = "auto",
        *,
        dataset: str = "cifar10",
        batch_size: int = 64,
        batch_seed: int = 0,
        root: Path | None = None,
        download: bool = False,
        image_size: int | None = None,
        split_seed: int = 0,
        skip_unreadable: bool = False,
    ) -> None:
        super().__init__()
        if dataset != OWN and image_size is not None:
            raise UsageError(
                f"The image size of dataset {dataset!r} is fixed; --image-size {image_size} needs "
                f"--dataset {OWN}."
            )
        info = own_dataset(images, image_size) if dataset == OWN else get_dataset(dataset)
        if batch_size < 1:
            raise UsageError(f"The batch size must be at least 1, but {batch_size} was given.")
        if batch_seed < 0:
            raise UsageError(f"The batch seed must be 0 or larger, but {batch_seed} was given.")
        opened = open_images(
            images, info, root, download, split_seed=split_seed, skip_unreadable=skip_unreadable
        )
        available = len(opened.images.train.labels)
        if batch_size > available:
            raise UsageError(
                f"The batch size must be at most {available}, the images in the training split of "
                f"{opened.source}, but {batch_size} was given: lower it or choose other images."
            )
        self.batch_size = batch_size
        self.batch_seed = batch_seed
        self.num_classes = info.num_classes
        self.image_size = info.image_size
        self.source = opened.source
        self.note = opened.note or opened.images.note
        self.skipped = opened.images.skipped
        names = opened.images.classes
        self.classes = (*names, *map(str, range(len(names), info.num_classes)))
        self.description = opened.images.description
        raw = opened.images
        self.stats = raw.stats or channel_stats(raw.train.pixels, self.image_size, raw.stats_images)
        self.train_images = NetImages(raw.train, self.image_size, self.stats)
        self.test_images = NetImages(raw.test, self.image_size, self.stats)
        self._minibatch: tuple[Tensor, Tensor] | None = None
        self.copies = said_of_copies(self.train_images, self.test_images) if dataset == OWN else None
        self.note = "\n".join(filter(None, (self.note, self.copies))) or None

    def minibatch(self) -> tuple[Tensor, Tensor]:
        """Returns inputs `[B, 3, S, S]` float32 and targets `[B]` int64, equal for equal seeds anywhere.

        They are the first B different images of a permutation of the training split drawn from `batch_seed`;
        `note` says which were left out. The tensors are the caller's own.

        Raises:
            UsageError: the training split has fewer different images.
        """
        if self._minibatch is None:
            order = np.random.default_rng(self.batch_seed).permutation(len(self.train_images))
            drawn = draw(self.train_images, order, self.batch_size)
            check_drawn(drawn, self.train_images, self.batch_size, self.source)
            notes = (self.note, said_of_repeats(drawn, self.train_images))
            self.note = "\n".join(filter(None, notes)) or None
            self._minibatch = drawn.inputs, drawn.targets
        inputs, targets = self._minibatch
        return inputs.clone(), targets.clone()

    @property
    def sha256(self) -> str:
        """A hash of all that is used: both splits with their labels, and the names of the classes."""
        return joined_sha256(self.classes, self.train_images.sha256, self.test_images.sha256)

    def train_dataloader(self) -> DataLoader[tuple[Tensor, int]]:
        """Returns batches of the whole training split, in a new seeded order each epoch."""
        return self._loader(self.train_images, shuffle=True)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Returns one batch, the minibatch: with it a validation loop scores a net."""
        minibatch = TensorDataset(*self.minibatch())
        return DataLoader(minibatch, self.batch_size, generator=self._generator())

    def test_dataloader(self) -> DataLoader[tuple[Tensor, int]]:
        """Returns batches of the held-out split in its own order.

        Raises:
            UsageError: nothing is held out.
        """
        if len(self.test_images) == 0:
            raise UsageError(
                f"A test needs held-out images, but {self.source} has none: add some to its test split."
            )
        return self._loader(self.test_images, shuffle=False)

    def _loader(self, images: Dataset[tuple[Tensor, int]], shuffle: bool) -> DataLoader[tuple[Tensor, int]]:
        return DataLoader(images, self.batch_size, shuffle=shuffle, generator=self._generator())

    def _generator(self) -> torch.Generator:
        # without its own generator a DataLoader draws its workers' seed from the global one, even unshuffled
        return torch.Generator().manual_seed(self.batch_seed)
