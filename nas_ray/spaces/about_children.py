"""What a space may be asked of the children of archs; names of `spaces/base.py` as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np


@runtime_checkable
class RecombiningSpace(Protocol):
    """A space that makes children itself; asked by `rea`, which has two parents for each child."""

    def sample_from(self, parents: Sequence[str], rng: np.random.Generator) -> str:
        """Returns a random child of `parents`, which are one or more archs and may be equal."""


@runtime_checkable
class RankedSpace(Protocol):
    """A space whose archs are drawn part by part from many parents; asked by `lcmnas`.

    Spaces of decisions or sequences need no method for it (`spaces/by_rank.py`).
    """

    def drawn_from(self, ranked: Sequence[str], rng: np.random.Generator, *, uniform: bool = False) -> str:
        """Returns an arch, for each part of which another parent is drawn, the better its rank the likelier.

        Args:
            ranked: one or more archs from the worst to the best, which may be equal.
            rng: draws.
            uniform: whether what stands in a parent more often is no likelier than what stands there once.
        """
