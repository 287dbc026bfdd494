"""What a filtered space can be asked beside its samples: a class for each optional protocol.

None of them looks whether the space inside can be asked: `Wrapping` takes only those of which it can.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from nas_ray.errors import UsageError
from nas_ray.spaces.base import (
    AnchoredSpace,
    BlockSpace,
    CellSpace,
    CostClassSpace,
    CostSpace,
    DecisionSpace,
    FiniteSpace,
    ImageSizedSpace,
    IndexedSpace,
    LabelledSpace,
    LayeredSpace,
    Neighborhood,
    RankedSpace,
    RecombiningSpace,
    ScheduledSpace,
    SearchSpace,
    SequenceSpace,
    StemmedSpace,
)
from nas_ray.spaces.children_parts import FilteredChildren, FilteredRanked


class _Part:
    accept: Callable[[str], bool]


class _Assembling(Protocol):
    def decisions(self, arch: str) -> tuple[str, ...]: ...

    def assemble(self, decisions: Sequence[str]) -> str: ...


class _Assembled(_Part):
    space: _Assembling

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions of `arch`."""
        return self.space.decisions(arch)

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the member that `decisions` make.

        Raises:
            UsageError: they make no member.
        """
        arch = self.space.assemble(decisions)
        if not self.accept(arch):
            raise UsageError(f"The arch must pass {self.accept}, got {arch}; decide otherwise.")
        return arch


class _Neighbors(_Part):
    space: Neighborhood

    def neighbors(self, arch: str) -> list[str]:
        """Returns the neighbours of `arch` that are members; may be empty."""
        return [neighbor for neighbor in self.space.neighbors(arch) if self.accept(neighbor)]


class _Iterated(_Part):
    listed: Callable[[], list[str]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.listed())


class _Finite(_Iterated):
    space: FiniteSpace

    def __len__(self) -> int:
        return len(self.listed())

    def __contains__(self, arch: object) -> bool:
        return isinstance(arch, str) and arch in self.space and self.accept(arch)


class _Choices(_Assembled):
    space: DecisionSpace

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of every decision of the space."""
        return self.space.choices()


class _Groups(_Choices):
    space: CellSpace

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Returns the groups of the cell."""
        return self.space.groups()


class _Options(_Assembled):
    space: SequenceSpace

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns what may follow in the space; where it leads is known when it is assembled."""
        return self.space.options(prefix)


class _Anchored(_Part):
    space: AnchoredSpace

    def anchor(self, prefix: tuple[str, ...]) -> tuple[int, int] | None:
        """Returns the two anchor points of the decision that follows `prefix`; None of any other."""
        return self.space.anchor(prefix)


class _Layered(_Part):
    space: LayeredSpace
    over: Callable[[SearchSpace], SearchSpace]

    def of_depth(self, layers: int) -> SearchSpace:
        """Returns the members that have `layers` layers.

        Raises:
            UsageError: none has.
        """
        return self.over(self.space.of_depth(layers))


class _Blocks(_Part):
    space: BlockSpace

    def blocks(self, arch: str) -> int:
        """Returns how many blocks `arch` has."""
        return self.space.blocks(arch)

    def one_block(self) -> list[str]:
        """Returns the members of one block; may be none."""
        return [arch for arch in self.space.one_block() if self.accept(arch)]

    def grown(self, arch: str) -> list[str]:
        """Returns the members with one block more than `arch`; may be none."""
        return [child for child in self.space.grown(arch) if self.accept(child)]


class _Index(_Part):
    space: IndexedSpace

    def index(self, arch: str) -> int:
        """Returns the published number of `arch`, in which archs outside count."""
        return self.space.index(arch)


class _Label(_Part):
    space: LabelledSpace

    def label(self, arch: str) -> str:
        """Returns what `arch` is, for people."""
        return self.space.label(arch)


class _ImageSize(_Part):
    space: ImageSizedSpace
    over: Callable[[SearchSpace], SearchSpace]

    def for_image_size(self, image_size: int) -> SearchSpace:
        """Returns the members, which the filter alone decides, with nets for images of that size."""
        return self.over(self.space.for_image_size(image_size))


class _Stem(_Part):
    space: StemmedSpace

    @property
    def stem(self) -> str:
        """The name of the stem."""
        return self.space.stem


class _Cost(_Part):
    space: CostSpace

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[float, float] | None:
        """Returns parameters, and multiply-adds of one image; None where no formula is known."""
        return self.space.cost(arch, num_classes, image)


class _CostClass(_Part):
    space: CostClassSpace

    def cost_class(self, arch: str) -> Hashable:
        """Returns something that is equal for archs of equal cost."""
        return self.space.cost_class(arch)


class _Schedules(_Part):
    space: ScheduledSpace

    @property
    def schedules(self) -> tuple[int, ...]:
        """Epochs of the published trainings, the one that counts last."""
        return self.space.schedules


FILTERED: Final[Mapping[type, type]] = {
    CellSpace: _Groups,
    DecisionSpace: _Choices,
    SequenceSpace: _Options,
    AnchoredSpace: _Anchored,
    LayeredSpace: _Layered,
    BlockSpace: _Blocks,
    Neighborhood: _Neighbors,
    FiniteSpace: _Finite,
    Iterable: _Iterated,
    RecombiningSpace: FilteredChildren,
    RankedSpace: FilteredRanked,
    IndexedSpace: _Index,
    LabelledSpace: _Label,
    ImageSizedSpace: _ImageSize,
    StemmedSpace: _Stem,
    CostSpace: _Cost,
    CostClassSpace: _CostClass,
    ScheduledSpace: _Schedules,
}
"""By protocol, what passes it on; the deeper class comes first."""
