"""What searchers and filters need of a space beyond drawing from it, or the sentence that it is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from nas_ray.errors import UsageError

if TYPE_CHECKING:
    from nas_ray.spaces.base import CellSpace, DecisionSpace, SearchSpace


_DECISIONS = ("choices", "decisions", "assemble")


def decision_space(space: SearchSpace, user: str) -> DecisionSpace:
    """Returns `space`, known to have decisions.

    Args:
        space: any space.
        user: who needs them, for the message.

    Raises:
        UsageError: it has none.
    """
    made = cast("DecisionSpace", _with_methods(space, user, _DECISIONS))
    made.choices()  # a filter on a space without decisions says so here
    return made


def cell_space(space: SearchSpace, user: str) -> CellSpace:
    """Returns `space`, known to be a cell space.

    Raises:
        UsageError: it is none.
    """
    made = cast("CellSpace", _with_methods(space, user, (*_DECISIONS, "groups")))
    made.groups()
    return made


def _with_methods(space: SearchSpace, user: str, names: Sequence[str]) -> SearchSpace:
    if not all(hasattr(space, name) for name in names):
        raise UsageError(
            f"{user} needs a space with the methods {', '.join(names)}, got {type(space).__name__}; add them "
            "(nas_ray/spaces/base.py says what they return) or choose another way."
        )
    return space


def members(space: SearchSpace) -> list[str]:
    """Returns the archs of `space` in its published order, none if it cannot be listed."""
    return list(space) if isinstance(space, Iterable) else []
