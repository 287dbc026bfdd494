"""What `nas-ray train` is asked to do, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from nas_ray.errors import UsageError
from nas_ray.images.drawing import Drawn, draw
from nas_ray.images.image_args import open_image_args
from nas_ray.images.image_data import ImageDataModule
from nas_ray.process.seeded import seeded
from nas_ray.proxies import Proxy
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.named import make_space
from nas_ray.train.args import TrainArgs
from nas_ray.train.base_job import Job, arch_and_recipe, gpus_for
from nas_ray.train.beside import FOUND, Candidate, Candidates
from nas_ray.train.damage import check_same_images
from nas_ray.train.export import chosen_formats
from nas_ray.train.fit import Devices
from nas_ray.training.second_classifier import check_takes
from nas_ray.training.training_data import Indices, balancing_weights, smallest_batch, split_indices

SCORED_IMAGES = 64
"""Images of the minibatch that the proxies see."""


@dataclass(frozen=True, kw_only=True)
class TrainJob(Job):
    """Everything that a training on images needs.

    Attributes:
        images: both splits.
        parts: positions of the training split to train on, and to validate with.
        class_weights: `[num_classes]` in the loss, or None.
        proxies: scores to show.
    """

    images: ImageDataModule
    parts: tuple[Indices, Indices]
    class_weights: list[float] | None
    proxies: dict[str, Proxy]

    @cached_property
    def scored(self) -> Drawn:
        """The different training images that the proxies see."""
        order = torch.randperm(len(self.parts[0]), generator=torch.Generator().manual_seed(self.args.seed))
        return draw(self.images.train_images, self.parts[0][order.numpy()], SCORED_IMAGES)

    @property
    def data(self) -> dict[str, Any]:
        """What `run.json` says of the images."""
        images = self.images
        return {
            "source": images.source,
            "description": images.description,
            "num_classes": images.num_classes,
            "image_size": images.image_size,
            "classes": images.classes,
            "skipped": images.skipped,
            "train": len(self.parts[0]),
            "valid": len(self.parts[1]),
            "test": len(images.test_images),
        }

    @property
    def sha256(self) -> str:
        """A hash of the images."""
        return self.images.sha256

    def check_same(self, stored: Mapping[str, Any]) -> None:
        """Checks that a training goes on with the images that it began with.

        Raises:
            UsageError: there are others.
        """
        check_same_images(stored, self.identity())


def prepare(args: TrainArgs) -> TrainJob:
    """Returns the job that `args` describe.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    arch, recipe = arch_and_recipe(args)
    if args.sample is not None:
        raise UsageError("--sample continues a text and needs --task text:PATH; leave it out for images.")
    if recipe.valid_on_training_images:
        raise UsageError(
            "A final training chooses its epoch by images that it does not train on; leave "
            "valid_on_training_images out of the recipe, it is for searches."
        )
    formats, left_out = chosen_formats(args.formats)
    devices = _devices(args)
    proxies = resolve_proxies([name for given in args.proxies for name in given.replace(",", " ").split()])
    space = make_space(args.space)
    images = open_image_args(args, batch_size=1, batch_seed=args.seed)
    if not len(images.test_images):
        raise UsageError(
            f"A training needs test images, but {images.source} holds out none; give at least 3 images per "
            "class, or a test part."
        )
    parts = split_indices(images.train_images.labels, recipe, args.split_seed)
    weights = None
    if recipe.class_weights:
        weights = balancing_weights(images.train_images.labels[parts[0]], images.num_classes)
    size = images.image_size
    candidates = Candidates(fitted_space(space_of_found(space), size), args.space, images.num_classes, size)
    found = candidates.named(arch, FOUND)
    beside = candidates.beside(found, args.beside, args.seed)
    for candidate in (found, *beside):
        with seeded(args.seed):
            check_takes(candidate.space.build(candidate.arch, images.num_classes), recipe)
    if smallest_batch(len(parts[0]), recipe, devices.count) == 1:
        for candidate in (found, *beside):
            _check_takes_one_image(candidate, images.num_classes, size)
    return TrainJob(
        args=args,
        recipe=recipe,
        found=found,
        beside=beside,
        devices=devices,
        formats=formats,
        left_out=left_out,
        images=images,
        parts=parts,
        class_weights=weights,
        proxies=dict(proxies),
    )


def _check_takes_one_image(candidate: Candidate, num_classes: int, size: int) -> None:
    """Checks that a net can be trained by one image at a time, which batch normalisation may not allow.

    Raises:
        UsageError: it cannot.
    """
    try:
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            candidate.space.build(candidate.arch, num_classes).train()(torch.empty(1, 3, size, size))
    except Exception as error:  # foreign code, which may not run without numbers
        if "more than 1 value per channel" in str(error):
            raise UsageError(
                f"{candidate.arch} has batch normalisation on maps of one pixel for images of {size} pixels, "
                "so that each process needs at least 2 images of a batch; give a larger batch_size in "
                "--recipe, fewer processes, or more images."
            ) from error


def _devices(args: TrainArgs) -> Devices:
    wanted = gpus_for(args)
    if wanted:
        return Devices("gpu", wanted, args.num_threads)
    return Devices("cpu", args.num_processes, args.num_threads)
