"""Spaces by name."""

from __future__ import annotations

from nas_ray.errors import UsageError
from nas_ray.plugins import make_named, resolve, ship_by_value
from nas_ray.spaces import SPACES, SearchSpace


def open_space(name: str) -> SearchSpace:
    """Returns the search space `name`.

    Raises:
        UsageError: unknown, or no search space.
    """
    made = make_named("search space", name, resolve("search space", name, SPACES, "nas_ray.spaces"))
    if not isinstance(made, SearchSpace):
        raise UsageError(f"The search space {name!r} needs the methods sample, neighbors and build.")
    ship_by_value(type(made))
    return made


make_space = open_space
