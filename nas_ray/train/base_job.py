"""What every training is asked to do, whatever nets learn."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from nas_ray.errors import UsageError
from nas_ray.images.identity import IMAGES
from nas_ray.terminal.ranges import check_ranges, check_seeds
from nas_ray.train.args import NO_ARCH, TrainArgs
from nas_ray.train.beside import Candidate
from nas_ray.train.fit import Devices
from nas_ray.training.recipes import Recipe, parse_recipe


@dataclass(frozen=True, kw_only=True)
class Job(ABC):
    """What trainings on images and on texts both need.

    Attributes:
        args: from the command line.
        recipe: how.
        found: the arch that is exported.
        beside: archs that are shown beside it.
        devices: where.
        formats: what is exported beside `model.pt`.
        left_out: for each format that cannot be written here, why.
    """

    args: TrainArgs
    recipe: Recipe
    found: Candidate
    beside: list[Candidate]
    devices: Devices
    formats: tuple[str, ...]
    left_out: dict[str, str]

    @property
    def candidates(self) -> list[Candidate]:
        """All archs that are trained."""
        return [self.found, *self.beside]

    @property
    def seeds(self) -> range:
        """The seeds of every arch."""
        return range(self.args.seed, self.args.seed + self.args.seeds)

    @property
    def device(self) -> torch.device:
        """Where nets are trained, by one process."""
        return torch.device("cuda" if self.devices.accelerator == "gpu" else "cpu")

    @property
    @abstractmethod
    def data(self) -> dict[str, Any]:
        """What `run.json` says of the images or the text."""

    @property
    @abstractmethod
    def sha256(self) -> str:
        """A hash of them."""

    @abstractmethod
    def check_same(self, stored: Mapping[str, Any]) -> None:
        """Checks that a training whose `run.json` is `stored` goes on with the data that it began with.

        Raises:
            UsageError: there are others.
        """

    def identity(self) -> dict[str, Any]:
        """Returns what `run.json` says beside the arguments."""
        archs = {candidate.label: candidate.arch for candidate in self.candidates}
        return {"recipe": self.recipe.written(), "images": self.data, IMAGES: self.sha256, "archs": archs}


AnyJob = TypeVar("AnyJob", bound=Job)


def with_threads(job: AnyJob, chosen: Callable[[AnyJob], int]) -> AnyJob:
    """Returns the job with the threads of each process, which this one takes too.

    Args:
        job: what is trained.
        chosen: says how many, where the arguments do not.
    """
    threads = job.devices.threads or chosen(job)
    torch.set_num_threads(threads)
    return dataclasses.replace(job, devices=dataclasses.replace(job.devices, threads=threads))


def arch_and_recipe(args: TrainArgs) -> tuple[str, Recipe]:
    """Returns the arch and the recipe that `args` give.

    Raises:
        UsageError: a number out of range, no arch, or a recipe that cannot be that of a final training.
    """
    check_ranges(args)
    check_seeds(args.seed, args.seeds, "--seeds")
    if args.arch is None:
        raise UsageError(NO_ARCH)
    recipe = parse_recipe(args.recipe)
    if recipe.seeds > 1:
        raise UsageError("Seeds of a final training are given by --seeds; leave seeds out of the recipe.")
    return args.arch, recipe


def gpus_for(args: TrainArgs) -> int:
    """Returns the GPUs that train a net.

    Raises:
        UsageError: fewer are there.
    """
    there = torch.cuda.device_count()
    wanted = min(1, there) if args.num_gpus is None else args.num_gpus
    if wanted > there:
        raise UsageError(f"--num-gpus {wanted} needs as many GPUs, but this machine has {there}.")
    return wanted
