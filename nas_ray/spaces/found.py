"""Spaces of what is asked of a method that finds archs, such as a one-shot search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class SettingsSpace(Protocol):
    """A space whose archs are settings of a method, such as `darts,order=2,seed=3`; its trials find archs.

    Attributes:
        found_in: the space of what they find. Whoever builds, numbers, looks up or trains that asks it.
    """

    found_in: SearchSpace


def space_of_found(space: SearchSpace) -> SearchSpace:
    """Returns the space of the archs that the trials of a search find: `space` itself, unless it says so.

    What lies in a filter, or in several, says so for it.
    """
    inner: SearchSpace | None = space
    while inner is not None:
        if (found := getattr(inner, "found_in", None)) is not None:
            within: SearchSpace = found
            return within
        inner = getattr(inner, "space", None)
    return space
