"""What `nas-ray train` is asked to do on a text, checked before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch

from nas_ray.errors import UsageError
from nas_ray.images.identity import IMAGES
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.named import make_space
from nas_ray.terminal.ranges import check_ranges, check_seeds
from nas_ray.text.spec import BYTES
from nas_ray.text.vocabulary import UTF_8
from nas_ray.train.args import NO_ARCH, TrainArgs
from nas_ray.train.beside import Candidate, Candidates
from nas_ray.train.export import chosen_formats
from nas_ray.train.fit import Devices
from nas_ray.training.reads_text import check_reads_text
from nas_ray.training.recipes import Recipe, parse_recipe
from nas_ray.training.second_classifier import check_takes
from nas_ray.training.task_args import check_reads, open_subject
from nas_ray.training.text_task import TextTask

SCORED: Final = 2
"""Sequences of the minibatch, on which nets are looked at."""


@dataclass(frozen=True)
class TextJob:
    """Everything that a training on a text needs.

    Attributes:
        args: from the command line.
        task: the text.
        recipe: how.
        found: the arch that is exported.
        beside: archs that are shown beside it.
        formats: what is exported beside `model.pt`.
        left_out: for each format that cannot be written here, why.
        devices: one process, on the CPU or a GPU.
    """

    args: TrainArgs
    task: TextTask
    recipe: Recipe
    found: Candidate
    beside: list[Candidate]
    formats: tuple[str, ...]
    left_out: dict[str, str]
    devices: Devices

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
        """Where nets are trained."""
        return torch.device("cuda" if self.devices.accelerator == "gpu" else "cpu")

    def identity(self) -> dict[str, Any]:
        """Returns what `run.json` says beside the arguments."""
        task = self.task
        return {
            "recipe": self.recipe.written(),
            "images": {
                "source": task.source,
                "description": task.description,
                "num_classes": task.num_outputs,
            },
            IMAGES: task.sha256,
            "archs": {candidate.label: candidate.arch for candidate in self.candidates},
        }


def prepare(args: TrainArgs) -> TextJob:
    """Returns the job that `args` describe.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    check_ranges(args)
    check_seeds(args.seed, args.seeds, "--seeds")
    if args.arch is None:
        raise UsageError(NO_ARCH)
    recipe = parse_recipe(args.recipe)
    if recipe.seeds > 1:
        raise UsageError("Seeds of a final training are given by --seeds; leave seeds out of the recipe.")
    check_reads(args.task, args.space)
    space = space_of_found(make_space(args.space))
    task = open_subject(args, batch_size=SCORED, batch_seed=args.seed)
    assert isinstance(task, TextTask)
    if len(task.corpus.test) < 2:
        raise UsageError(
            f"A training needs a text to test on, but {task.source} has none; add a file called test.txt."
        )
    if args.sample is not None and task.corpus.spec.tokens == BYTES:
        UTF_8.check("--sample", args.sample)
    check_reads_text(space, task, args.space, args.arch)
    task.loaders(recipe, args.seed, 0)  # refuses a text that is shorter than a batch
    candidates = Candidates(space, args.space, task.num_outputs, example=task.minibatch()[0][:1, :1])
    found = candidates.asked(args.arch)
    beside = candidates.beside(found, args.beside, args.seed)
    for candidate in (found, *beside):
        with torch.random.fork_rng(devices=[]):
            check_takes(candidate.space.build(candidate.arch, task.num_outputs), recipe)
    formats, left_out = _formats(args)
    return TextJob(args, task, recipe, found, beside, formats, left_out, _devices(args))


def _formats(args: TrainArgs) -> tuple[tuple[str, ...], dict[str, str]]:
    asked = [name for text in args.formats or () for name in text.replace(",", " ").split()]
    if "pt2" in asked:
        raise UsageError("A net of a text is exported as onnx alone, got --formats pt2; leave it out.")
    formats, left_out = chosen_formats(args.formats)
    return tuple(name for name in formats if name == "onnx"), left_out


def _devices(args: TrainArgs) -> Devices:
    there = torch.cuda.device_count()
    wanted = min(1, there) if args.num_gpus is None else args.num_gpus
    if wanted > there:
        raise UsageError(f"--num-gpus {wanted} needs as many GPUs, but this machine has {there}.")
    if wanted > 1 or args.num_processes > 1:
        raise UsageError(
            "A net of a text is trained by one process, as its state goes on from piece to piece; give "
            "--num-gpus 1 or 0, and leave --num-processes out."
        )
    return Devices("gpu" if wanted else "cpu", threads=args.num_threads)
