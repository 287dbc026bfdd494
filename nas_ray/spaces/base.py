"""The search-space interface: a set of archs, how to build them, and what else a space may be asked.

A space has two methods, `sample` and `build`. Each of the other protocols here is one question more: a space
that has its methods answers it, and its first line says who asks (`spaces/needs.py`: how, and what is said
where there is no answer). Some are in `spaces/about_nets.py` and `about_children.py`, and names of this
module too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from nas_ray.errors.checks import Kind, members
from nas_ray.spaces.about_children import RankedSpace as RankedSpace
from nas_ray.spaces.about_children import RecombiningSpace as RecombiningSpace
from nas_ray.spaces.about_nets import CostClassSpace as CostClassSpace
from nas_ray.spaces.about_nets import CostSpace as CostSpace
from nas_ray.spaces.about_nets import ScheduledSpace as ScheduledSpace
from nas_ray.spaces.about_nets import StemmedSpace as StemmedSpace

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

END: Final = "<end>"
"""The option of a sequence that ends it; it is no decision of an arch."""


@runtime_checkable
class SearchSpace(Protocol):
    """A set of archs, each a canonical string.

    The whole of a new space is two methods::

        class Widths:
            def sample(self, rng):
                return str(rng.integers(1, 9))

            def build(self, arch, num_classes):
                width = int(arch)
                hidden = nn.Sequential(nn.Flatten(), nn.LazyLinear(width), nn.ReLU())
                return nn.Sequential(hidden, nn.Linear(width, num_classes))
    """

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a random arch, uniform over the space where it does not say otherwise."""

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, initialised from torch's global state."""


SPACE: Final = Kind(
    "a search space with sample and build",
    lambda value: not isinstance(value, type) and (hasattr(value, "sample") or hasattr(value, "build")),
)
"""What is searched in, or built from: a searcher needs no `build`, and an evaluator no `sample`."""


@runtime_checkable
class Neighborhood(SearchSpace, Protocol):
    """A space in which archs are near others; asked by evolution and local search."""

    def neighbors(self, arch: str) -> list[str]:
        """Returns the archs one mutation away: no duplicates, never `arch` itself, in a fixed order.

        Of very many it may be some, which `arch` alone decides.
        """


@runtime_checkable
class FiniteSpace(SearchSpace, Protocol):
    """A space that can be listed in its published index order; asked by benchmarks and rare draws."""

    def __len__(self) -> int:
        """Returns the number of archs."""

    def __iter__(self) -> Iterator[str]:
        """Yields every arch once, in the published index order."""

    def __contains__(self, arch: object) -> bool:
        """Returns whether `arch` is the canonical string of a member."""


@runtime_checkable
class DecisionSpace(SearchSpace, Protocol):
    """A space of archs with a fixed number of choices; asked by crossover, one-hot codes and Optuna.

    A choice is one operation per edge, for example. One `arch` has one tuple of decisions, and
    `assemble(decisions(arch)) == arch`. It is a `SequenceSpace` of one length (`spaces/sequences.py`).
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
    """A space whose decisions are the edges of one cell, an acyclic graph; asked by rules about nodes."""

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Returns for every node but the input the places of the decisions on its incoming edges.

        Nodes are in the order of the graph, the output last; edges are in the order of their source nodes, so
        the first edge of the last group goes from the input to the output.
        """


@runtime_checkable
class SequenceSpace(SearchSpace, Protocol):
    """A space of sequences of any length; asked by what makes archs step by step, and where neighbours lack.

    What is decided says what comes next. One arch has one tuple of decisions, without the end, and
    `assemble(decisions(arch)) == arch`. Other sequences may make the same arch.
    """

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns what may follow the decisions `prefix`, in a fixed order: never nothing.

        With `END` among the options the sequence may end here, with `(END,)` alone it must. `prefix` holds
        decisions that were options before, and no `END`.
        """

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions that make `arch`, without `END`."""

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions.

        Raises:
            UsageError: they make no arch of the space, or are not at an end.
        """


@runtime_checkable
class AnchoredSpace(Protocol):
    """A `SequenceSpace` with decisions of what reads what; asked by controllers that decide by content."""

    def anchor(self, prefix: tuple[str, ...]) -> tuple[int, int] | None:
        """Returns the two anchor points of the decision that follows `prefix`; None of any other decision.

        Such a decision has two options, of which the second says that the later part reads the earlier one.
        An anchor point is a place in the sequence, the number of decisions before it: that of the earlier
        part first. Each part that can be read has one, behind its own decisions and before those on what it
        reads, so no place is behind `prefix`.
        """


@runtime_checkable
class LayeredSpace(Protocol):
    """A space whose archs have a number of layers; asked by schedules that let archs grow in a search."""

    def of_depth(self, layers: int) -> SearchSpace:
        """Returns the archs of the space that have `layers` layers.

        Raises:
            UsageError: none has.
        """


@runtime_checkable
class BlockSpace(Protocol):
    """A space whose archs grow block by block, each an arch by itself; asked by `pnas`.

    A cell of two blocks is an example, from which cells of three are made. The `decisions` of such an arch
    are those of its first block, of its second, and so on, and as many for each block.
    """

    def blocks(self, arch: str) -> int:
        """Returns how many blocks `arch` has, one or more."""

    def one_block(self) -> Sequence[str]:
        """Returns every arch of one block once, in a fixed order."""

    def grown(self, arch: str) -> Sequence[str]:
        """Returns every arch once that is `arch` with one block more, in a fixed order.

        There is none where `arch` is as large as archs are.
        """


@runtime_checkable
class IndexedSpace(Protocol):
    """A space whose archs have published numbers; asked by pictures and short names of archs."""

    def index(self, arch: str) -> int:
        """Returns the published number of `arch`, from 0; it grows in the order of a `FiniteSpace`."""


@runtime_checkable
class LabelledSpace(Protocol):
    """A space whose archs have names for people; asked by progress, summary and report."""

    def label(self, arch: str) -> str:
        """Returns one line that says what `arch` is; it is shown and never read back."""


@runtime_checkable
class ImageSizedSpace(Protocol):
    """A space with other nets for large images; asked wherever the images are known."""

    def for_image_size(self, image_size: int) -> SearchSpace:
        """Returns the same archs with nets for square images of `image_size` pixels."""


OPTIONAL: Final[tuple[type, ...]] = (
    *(Neighborhood, FiniteSpace, DecisionSpace, CellSpace, SequenceSpace, AnchoredSpace, LayeredSpace),
    *(BlockSpace, RecombiningSpace, RankedSpace, IndexedSpace),
    *(LabelledSpace, ImageSizedSpace, StemmedSpace, CostSpace, CostClassSpace, ScheduledSpace),
)
"""All that a space may be asked beside `sample` and `build`."""


def questions(protocol: type) -> tuple[str, ...]:
    """Returns the names that `protocol` asks for beside `sample` and `build`, in their order."""
    return tuple(name for name in members(protocol) if name not in members(SearchSpace))


def lacking(space: object, protocol: type) -> tuple[str, ...]:
    """Returns what of `questions(protocol)` a space has no answer to."""
    return tuple(name for name in questions(protocol) if not hasattr(space, name))


def fitted_space(space: SearchSpace, image_size: int) -> SearchSpace:
    """Returns `space` with nets for square images of `image_size` pixels, where it tells these apart."""
    return space.for_image_size(image_size) if isinstance(space, ImageSizedSpace) else space
