"""Searches on a text: what they do where nothing is said, and spaces whose nets read none."""

from __future__ import annotations

import dataclasses
from typing import Final, TypeVar

import numpy as np
import torch

from nas_ray.errors import UsageError, describe
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.process.seeded import seeded
from nas_ray.search.argument_groups import DEFAULT, EstimateArgs
from nas_ray.spaces import SearchSpace
from nas_ray.training.task_args import is_text
from nas_ray.training.text_task import TextTask

A = TypeVar("A", bound=EstimateArgs)
FIDELITY: Final = "lm-fast"


def said_of_text(args: A) -> A:
    """Returns `args` with the recipe by which archs are trained on a text where nothing else judges them.

    No proxy is known to rank nets of a text, so a search that names neither a fidelity nor a score trains.
    """
    unsaid = args.fidelity is None and args.fitness is None and tuple(args.proxies) == (DEFAULT,)
    return dataclasses.replace(args, fidelity=FIDELITY) if is_text(args) and unsaid else args


def check_reads_text(space: SearchSpace, task: TextTask, name: str) -> None:
    """Checks, by one net, that those of a space read tokens `[B, T]` and tell as many.

    Raises:
        UsageError: they do not.
    """
    arch = space.sample(np.random.default_rng(0))
    tokens = task.minibatch()[0][:2, :2]
    why = ""
    try:
        with ForeignCode(), seeded(0), torch.no_grad():
            shape = tuple(space.build(arch, task.num_outputs).eval()(tokens).shape)
        if shape != (*tokens.shape, task.num_outputs):
            why = f"it gives {shape} for tokens {tuple(tokens.shape)}"
    except Exception as error:  # foreign code
        why = describe(error)
    if why:
        raise UsageError(
            f"A text needs nets that tell each next word, such as those of the space darts-rnn, but a net of "
            f"{name} does not ({why}); give another --space, or leave --task out."
        )
