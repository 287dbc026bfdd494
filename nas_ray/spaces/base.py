"""The search-space interface: a set of archs, how to move in it, and how to build them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from torch import nn


@runtime_checkable
class SearchSpace(Protocol):
    """A set of archs, each a canonical string.

    The whole of a new space is three methods::

        class Widths:
            def sample(self, rng):
                return str(rng.integers(1, 9))

            def neighbors(self, arch):
                return [str(w) for w in (int(arch) - 1, int(arch) + 1) if 1 <= w <= 8]

            def build(self, arch, num_classes):
                width = int(arch)
                hidden = nn.Sequential(nn.Flatten(), nn.LazyLinear(width), nn.ReLU())
                return nn.Sequential(hidden, nn.Linear(width, num_classes))
    """

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn uniformly."""

    def neighbors(self, arch: str) -> list[str]:
        """Returns the archs one mutation away: no duplicates, never `arch` itself, in a fixed order."""

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, initialised from torch's global state."""


@runtime_checkable
class FiniteSpace(SearchSpace, Protocol):
    """A space that can be listed: `len(space)` archs, iterated in the published index order."""

    def __len__(self) -> int:
        """Returns the number of archs."""

    def __iter__(self) -> Iterator[str]:
        """Yields every arch once, in the published index order."""

    def __contains__(self, arch: object) -> bool:
        """Returns whether `arch` is the canonical string of a member."""


@runtime_checkable
class DecisionSpace(SearchSpace, Protocol):
    """A space whose archs are made of a fixed number of choices, such as one operation per edge.

    What needs the parts of an arch (crossover, one-hot codes, Optuna) asks for these methods. One `arch` has
    one tuple of decisions, and `assemble(decisions(arch)) == arch`.
    """

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of every decision, in a fixed order."""

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the option that `arch` takes in every decision."""

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions.

        Raises:
            UsageError: they make no arch of the space.
        """


@runtime_checkable
class CellSpace(DecisionSpace, Protocol):
    """A space whose decisions are the edges of one cell, an acyclic graph."""

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Returns for every node but the input the places of the decisions on its incoming edges.

        Nodes are in the order of the graph, the output last; edges are in the order of their source nodes, so
        the first edge of the last group goes from the input to the output.
        """


def fitted_space(space: SearchSpace, image_size: int) -> SearchSpace:
    """Returns `space` with nets for square images of `image_size` pixels, where it tells these apart."""
    fitted: SearchSpace = space.for_image_size(image_size) if hasattr(space, "for_image_size") else space
    return fitted
