"""What `nas-ray train` is asked to do on a text, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.images.identity import IMAGES
from nas_ray.spaces.found import space_of_found
from nas_ray.spaces.named import make_space
from nas_ray.text.spec import BYTES
from nas_ray.text.vocabulary import UTF_8
from nas_ray.train.args import TrainArgs
from nas_ray.train.base_job import Job, arch_and_recipe, gpus_for
from nas_ray.train.beside import Candidate, Candidates
from nas_ray.train.export import chosen_formats
from nas_ray.train.fit import Devices
from nas_ray.training.reads_text import check_reads_text
from nas_ray.training.recipes import Recipe
from nas_ray.training.recurrent import RecurrentNet
from nas_ray.training.second_classifier import check_takes
from nas_ray.training.task_args import check_reads, open_subject
from nas_ray.training.text_task import TextTask

SCORED: Final = 2
"""Sequences of the minibatch, on which nets are looked at."""


@dataclass(frozen=True, kw_only=True)
class TextJob(Job):
    """Everything that a training on a text needs.

    Attributes:
        task: the text.
    """

    task: TextTask

    @property
    def data(self) -> dict[str, Any]:
        """What `run.json` says of the text."""
        task = self.task
        return {
            "source": task.source,
            "description": task.description,
            "num_classes": task.num_outputs,
        }

    @property
    def sha256(self) -> str:
        """A hash of the text."""
        return self.task.sha256

    def check_same(self, stored: Mapping[str, Any]) -> None:
        """Checks that a training goes on with the text that it began with.

        Raises:
            UsageError: there is another.
        """
        if stored.get(IMAGES) != self.sha256:
            raise UsageError(
                "The training must go on with the text that it began with, but it has changed; bring the "
                "same back, or start a new one."
            )


def prepare(args: TrainArgs) -> TextJob:
    """Returns the job that `args` describe.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    arch, recipe = arch_and_recipe(args)
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
    check_reads_text(space, task, args.space, arch)
    task.loaders(recipe, args.seed, 0)  # refuses a text that is shorter than a batch
    candidates = Candidates(space, args.space, task.num_outputs, example=task.minibatch()[0][:1, :1])
    found = candidates.asked(arch)
    beside = candidates.beside(found, args.beside, args.seed)
    net = _net_of(found, task, recipe)
    for candidate in beside:
        _net_of(candidate, task, recipe)
    formats, left_out = _formats(args, net)
    return TextJob(
        args=args,
        recipe=recipe,
        found=found,
        beside=beside,
        devices=_devices(args),
        formats=formats,
        left_out=left_out,
        task=task,
    )


def _net_of(candidate: Candidate, task: TextTask, recipe: Recipe) -> nn.Module:
    """Returns a net of an arch, known to follow a recipe.

    Raises:
        UsageError: it does not.
    """
    with torch.random.fork_rng(devices=[]):
        net = candidate.space.build(candidate.arch, task.num_outputs)
    check_takes(net, recipe)
    return net


def _formats(args: TrainArgs, net: nn.Module) -> tuple[tuple[str, ...], dict[str, str]]:
    """Returns the formats to write, and for each of the others why it is not written.

    Raises:
        UsageError: one was asked for and cannot be written.
    """
    formats, left_out = chosen_formats(args.formats)
    if isinstance(net, RecurrentNet):
        return formats, left_out
    why = "a net of a text is written as one step with its state, and this one has none"
    if args.formats is not None and formats:
        raise UsageError(f"--formats {formats[0]} cannot be written: {why}; give --formats none.")
    return (), {name: f"{name}: {why}" for name in formats} | left_out


def _devices(args: TrainArgs) -> Devices:
    wanted = gpus_for(args)
    if wanted > 1 or args.num_processes > 1:
        raise UsageError(
            "A net of a text is trained by one process, as its state goes on from piece to piece; give "
            "--num-gpus 1 or 0, and leave --num-processes out."
        )
    return Devices("gpu" if wanted else "cpu", threads=args.num_threads)
