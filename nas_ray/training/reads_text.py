"""Whether the nets of a space read a text."""

from __future__ import annotations

import numpy as np
import torch

from nas_ray.errors import UsageError, describe
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.process.seeded import seeded
from nas_ray.spaces.base import SearchSpace
from nas_ray.training.text_task import TextTask


def check_reads_text(space: SearchSpace, task: TextTask, name: str, arch: str | None = None) -> None:
    """Checks, by one net, that those of a space read tokens `[B, T]` and tell as many.

    Args:
        space: builds them.
        task: the text.
        name: of the space, for people.
        arch: of the net; None for a random one.

    Raises:
        UsageError: they do not.
    """
    arch = space.sample(np.random.default_rng(0)) if arch is None else arch
    tokens = task.minibatch()[0][:2, :2]
    why = ""
    try:
        with ForeignCode(), seeded(0), torch.no_grad():
            shape = tuple(space.build(arch, task.num_outputs).eval()(tokens).shape)
        if shape != (*tokens.shape, task.num_outputs):
            why = f"it gives {shape} for tokens {tuple(tokens.shape)}"
    except UsageError:  # no arch of the space
        raise
    except Exception as error:  # foreign code
        why = describe(error)
    if why:
        raise UsageError(
            f"A text needs nets that tell each next word, such as those of the space darts-rnn, but a net of "
            f"{name} does not ({why}); give another --space, or leave --task out."
        )
