"""Searchers as they are named for a comparison by several objectives."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from nas_ray.errors import UsageError
from nas_ray.process.plugins import resolve
from nas_ray.reproduce.args import SearchedArgs
from nas_ray.reproduce.compare import RANDOM, setting
from nas_ray.reproduce.fronts.ground import Wanted
from nas_ray.reproduce.tables import Setting
from nas_ray.searchers import SEARCHERS
from nas_ray.searchers.options import option_defaults, parts_of
from nas_ray.spaces import SearchSpace

OBJECTIVES = "objectives"
WEIGHTED = "random_weights"


def front_settings(
    names: Sequence[str], args: SearchedArgs, what: Wanted, space: SearchSpace, *, workers: int
) -> tuple[list[Setting], list[str]]:
    """Returns the searches of each searcher, and the names of those that get random weights.

    Raises:
        UsageError: one cannot be made, or has objectives of its own.
    """
    made, scalar = [], []
    for text in names:
        name, options = parts_of(text)
        kind = resolve("searcher", name, SEARCHERS, "nas_ray.searchers")
        if any(option.startswith(f"{OBJECTIVES}=") for option in options):
            raise UsageError(
                f"The objectives of all searchers are those of --objectives; leave them out of {text}."
            )
        given = f"{OBJECTIVES}={what.text}"
        called = ",".join([name, *options, given])
        if name == RANDOM:
            called = text
        elif OBJECTIVES not in option_defaults(kind):
            scalar.append(text)
            called = ",".join([WEIGHTED, f"of={name}", f"options={'+'.join(options)}", given])
        one = setting(called, args, what.by, space, workers=workers)
        made.append(dataclasses.replace(one, title=text))
    return made, scalar
