"""What `nas-ray train` is asked to do, checked before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from nas_ray.errors import UsageError
from nas_ray.images.drawing import Drawn, draw
from nas_ray.images.identity import IMAGES
from nas_ray.images.image_args import open_image_args
from nas_ray.images.image_data import ImageDataModule
from nas_ray.process.seeded import seeded
from nas_ray.proxies import Proxy
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.named import make_space
from nas_ray.terminal.ranges import check_ranges, check_seeds
from nas_ray.train.args import NO_ARCH, TrainArgs
from nas_ray.train.beside import FOUND, Candidate, Candidates
from nas_ray.train.export import chosen_formats
from nas_ray.train.fit import Devices
from nas_ray.training.recipes import Recipe, parse_recipe
from nas_ray.training.second_classifier import check_takes
from nas_ray.training.training_data import Indices, balancing_weights, smallest_batch, split_indices

SCORED_IMAGES = 64
"""Images of the minibatch that the proxies see."""


@dataclass(frozen=True)
class TrainJob:
    """Everything that a training needs.

    Attributes:
        args: from the command line.
        images: both splits.
        recipe: how.
        parts: positions of the training split to train on, and to validate with.
        class_weights: `[num_classes]` in the loss, or None.
        found: the arch that is exported.
        beside: archs that are shown beside it.
        devices: where.
        formats: what is exported beside `model.pt`.
        left_out: for each format that cannot be written here, why.
        proxies: scores to show.
    """

    args: TrainArgs
    images: ImageDataModule
    recipe: Recipe
    parts: tuple[Indices, Indices]
    class_weights: list[float] | None
    found: Candidate
    beside: list[Candidate]
    devices: Devices
    formats: tuple[str, ...]
    left_out: dict[str, str]
    proxies: dict[str, Proxy]

    @property
    def candidates(self) -> list[Candidate]:
        """All archs that are trained."""
        return [self.found, *self.beside]

    @cached_property
    def scored(self) -> Drawn:
        """The different training images that the proxies see."""
        order = torch.randperm(len(self.parts[0]), generator=torch.Generator().manual_seed(self.args.seed))
        return draw(self.images.train_images, self.parts[0][order.numpy()], SCORED_IMAGES)

    @property
    def seeds(self) -> range:
        """The seeds of every arch."""
        return range(self.args.seed, self.args.seed + self.args.seeds)

    def identity(self) -> dict[str, Any]:
        """Returns what `run.json` says beside the arguments."""
        images = self.images
        return {
            "recipe": self.recipe.written(),
            "images": {
                "source": images.source,
                "description": images.description,
                "num_classes": images.num_classes,
                "image_size": images.image_size,
                "classes": images.classes,
                "skipped": images.skipped,
                "train": len(self.parts[0]),
                "valid": len(self.parts[1]),
                "test": len(images.test_images),
            },
            IMAGES: images.sha256,
            "archs": {candidate.label: candidate.arch for candidate in self.candidates},
        }


def prepare(args: TrainArgs) -> TrainJob:
    """Returns the job that `args` describe.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    check_ranges(args)
    check_seeds(args.seed, args.seeds, "--seeds")
    if args.arch is None:
        raise UsageError(NO_ARCH)
    if args.sample is not None:
        raise UsageError("--sample continues a text and needs --task text:PATH; leave it out for images.")
    recipe = parse_recipe(args.recipe)
    if recipe.seeds > 1:
        raise UsageError("Seeds of a final training are given by --seeds; leave seeds out of the recipe.")
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
    found = candidates.named(args.arch, FOUND)
    beside = candidates.beside(found, args.beside, args.seed)
    for candidate in (found, *beside):
        with seeded(args.seed):
            check_takes(candidate.space.build(candidate.arch, images.num_classes), recipe)
    if smallest_batch(len(parts[0]), recipe, devices.count) == 1:
        for candidate in (found, *beside):
            _check_takes_one_image(candidate, images.num_classes, size)
    return TrainJob(
        args, images, recipe, parts, weights, found, beside, devices, formats, left_out, dict(proxies)
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
    there = torch.cuda.device_count()
    wanted = min(1, there) if args.num_gpus is None else args.num_gpus
    if wanted > there:
        raise UsageError(f"--num-gpus {wanted} needs as many GPUs, but this machine has {there}.")
    if wanted:
        return Devices("gpu", wanted, args.num_threads)
    return Devices("cpu", args.num_processes, args.num_threads)
