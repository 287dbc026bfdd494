"""Searches on a text: what they do where nothing is said."""

from __future__ import annotations

import dataclasses
from typing import Final, TypeVar

from nas_ray.search.argument_groups import DEFAULT, EstimateArgs
from nas_ray.training.task_args import is_text

A = TypeVar("A", bound=EstimateArgs)
FIDELITY: Final = "lm-fast"


def said_of_text(args: A) -> A:
    """Returns `args` with the recipe by which archs are trained on a text where nothing else judges them.

    No proxy is known to rank nets of a text, so a search that names neither a fidelity nor a score trains.
    """
    unsaid = args.fidelity is None and args.fitness is None and tuple(args.proxies) == (DEFAULT,)
    return dataclasses.replace(args, fidelity=FIDELITY) if is_text(args) and unsaid else args
