"""What a product of archs and settings can be asked beside its samples: a class for each optional protocol.

None of them looks whether the space inside can be asked: `Wrapping` takes only those of which it can.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Hashable, Iterator, Mapping, Sequence
from typing import Final, cast

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.base import (
    AnchoredSpace,
    CostClassSpace,
    CostSpace,
    DecisionSpace,
    FiniteSpace,
    ImageSizedSpace,
    IndexedSpace,
    LayeredSpace,
    Neighborhood,
    RankedSpace,
    RecombiningSpace,
    SearchSpace,
    SequenceSpace,
    StemmedSpace,
)
from nas_ray.spaces.children_parts import ProductChildren, ProductRanked
from nas_ray.spaces.conditional import Setting
from nas_ray.spaces.dependence import neighbors
from nas_ray.spaces.sequences import sequence_neighbors
from nas_ray.spaces.setting_kinds import Choice
from nas_ray.spaces.settings import point_of


class _Part:
    settings: Mapping[str, Setting]
    split: Callable[[str], tuple[str, dict[str, str]]]

    def _options(self) -> list[tuple[str, ...]]:
        return [cast(Choice, setting).options for setting in self.settings.values()]

    def _point(self, arch: str, values: Sequence[str]) -> str:
        """Returns the point of an arch and as many values as there are settings.

        Raises:
            UsageError: they make none.
        """
        if len(values) != len(self.settings):
            raise UsageError(
                f"A point has {len(self.settings)} settings, got {len(values)}; decide otherwise."
            )
        point = point_of(arch, dict(zip(self.settings, values, strict=True)))
        self.split(point)
        return point


class _Neighbors(_Part):
    space: SearchSpace

    def neighbors(self, point: str) -> list[str]:
        """Returns the neighbours of the arch with these settings, then those with one setting changed.

        Where the space has sequences alone, they are those of `sequence_neighbors`.
        """
        arch, values = self.split(point)
        space = self.space
        near = space.neighbors(arch) if isinstance(space, Neighborhood) else sequence_neighbors(space, arch)
        return [
            *(point_of(neighbor, values) for neighbor in near),
            *(point_of(arch, changed) for changed in neighbors(self.settings, values)),
        ]


class _Members(_Part):
    space: Container[str]

    def __contains__(self, point: object) -> bool:
        try:
            return isinstance(point, str) and self.split(point)[0] in self.space
        except UsageError:
            return False


class _Listed(_Members):
    space: FiniteSpace

    def __len__(self) -> int:
        return len(self.space) * int(np.prod([len(options) for options in self._options()]))

    def __iter__(self) -> Iterator[str]:
        for values in itertools.product(*self._options()):  # archs in their published order for each
            own = dict(zip(self.settings, values, strict=True))
            yield from (point_of(arch, own) for arch in self.space)


class _Decisions(_Part):
    space: DecisionSpace

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of every decision of the arch, then those of the settings."""
        return (*self.space.choices(), *self._options())

    def decisions(self, point: str) -> tuple[str, ...]:
        """Returns the decisions of the arch, then the settings.

        Raises:
            UsageError: no point of this space.
        """
        arch, values = self.split(point)
        return (*self.space.decisions(arch), *values.values())

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the point of these decisions.

        Raises:
            UsageError: they make none.
        """
        count = max(0, len(decisions) - len(self.settings))
        return self._point(self.space.assemble(decisions[:count]), decisions[count:])


class _Sequences(_Part):
    """Settings come first, since where the sequence of the arch ends what follows could be either."""

    space: SequenceSpace

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the values of the next setting, and behind the settings what may follow in the arch."""
        count = len(self.settings)
        return self._options()[len(prefix)] if len(prefix) < count else self.space.options(prefix[count:])

    def decisions(self, point: str) -> tuple[str, ...]:
        """Returns the settings, then the decisions of the arch.

        Raises:
            UsageError: no point of this space.
        """
        arch, values = self.split(point)
        return (*values.values(), *self.space.decisions(arch))

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the point of these decisions.

        Raises:
            UsageError: they make none.
        """
        count = len(self.settings)
        return self._point(self.space.assemble(decisions[count:]), decisions[:count])


class _Anchored(_Part):
    space: AnchoredSpace

    def anchor(self, prefix: tuple[str, ...]) -> tuple[int, int] | None:
        """Returns the two anchor points of a decision of the arch, behind the settings; None of any other."""
        count = len(self.settings)
        points = self.space.anchor(prefix[count:]) if len(prefix) >= count else None
        return points and (points[0] + count, points[1] + count)


class _Layered(_Part):
    space: LayeredSpace
    over: Callable[[SearchSpace], SearchSpace]

    def of_depth(self, layers: int) -> SearchSpace:
        """Returns the points whose archs have `layers` layers."""
        return self.over(self.space.of_depth(layers))


class _Index(_Part):
    space: IndexedSpace

    def index(self, point: str) -> int:
        """Returns the index of the arch."""
        return self.space.index(self.split(point)[0])


class _ImageSize(_Part):
    space: ImageSizedSpace
    over: Callable[[SearchSpace], SearchSpace]

    def for_image_size(self, image_size: int) -> SearchSpace:
        """Returns the same points with nets for square images of `image_size` pixels."""
        return self.over(self.space.for_image_size(image_size))


class _Cost(_Part):
    space: CostSpace

    def cost(self, point: str, num_classes: int, image: tuple[int, int, int]) -> tuple[float, float] | None:
        """Returns the cost of the arch; None where no formula is known."""
        return self.space.cost(self.split(point)[0], num_classes, image)


class _CostClass(_Part):
    space: CostClassSpace

    def cost_class(self, point: str) -> Hashable:
        """Returns what is equal for archs of equal cost."""
        return self.space.cost_class(self.split(point)[0])


class _Stem(_Part):
    space: StemmedSpace

    @property
    def stem(self) -> str:
        """The stem of the nets."""
        return self.space.stem


PRODUCT: Final[Mapping[type, type]] = {
    Neighborhood: _Neighbors,
    FiniteSpace: _Listed,
    Container: _Members,
    DecisionSpace: _Decisions,
    SequenceSpace: _Sequences,
    AnchoredSpace: _Anchored,
    LayeredSpace: _Layered,
    RecombiningSpace: ProductChildren,
    RankedSpace: ProductRanked,
    IndexedSpace: _Index,
    ImageSizedSpace: _ImageSize,
    CostSpace: _Cost,
    CostClassSpace: _CostClass,
    StemmedSpace: _Stem,
}
"""By protocol, what passes it on; the deeper class comes first. Labels are those of archs alone."""
