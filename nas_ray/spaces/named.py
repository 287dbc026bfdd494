"""Spaces by name."""

from __future__ import annotations

from typing import cast

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT
from nas_ray.process.plugins import make_named, resolve, ship_by_value
from nas_ray.spaces import SPACES, Product, SearchSpace
from nas_ray.spaces.options import named_options
from nas_ray.spaces.settings import named_space


def open_space(name: str) -> SearchSpace:
    """Returns the search space `name`, or with settings as in `nats-tss@lr=0.01..1` a `Product`.

    Some have options, as in `darts:channels=36,cells=20` (`spaces/options.py`).

    Raises:
        UsageError: unknown, or no search space, or settings that are none.
    """
    TEXT.check("The name of a space", name)
    name, settings = named_space(name)
    name, options = named_options(name)
    kind = resolve("search space", name, SPACES, "nas_ray.spaces")
    made = make_named("search space", name, kind, **options)
    if not isinstance(made, SearchSpace):
        raise UsageError(f"The search space {name!r} needs the methods sample and build.")
    ship_by_value(type(made))
    return cast(SearchSpace, Product(made, settings)) if settings else made


make_space = open_space


def known_space(name: object) -> SearchSpace | None:
    """Returns the space of this package that `name` means, with its options; None for any other.

    Raises:
        UsageError: options that cannot be.
    """
    known, options = named_options(name) if isinstance(name, str) else ("", {})
    return SPACES[known](**options) if known in SPACES else None
