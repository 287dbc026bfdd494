"""Archs and settings together: a space whose points are `ARCH@lr=0.1,batch_size=64`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.base import (
    SPACE,
    CostClassSpace,
    CostSpace,
    DecisionSpace,
    FiniteSpace,
    ImageSizedSpace,
    IndexedSpace,
    Neighborhood,
    SearchSpace,
    StemmedSpace,
    fitted_space,
)
from nas_ray.spaces.setting_kinds import Choice, Setting
from nas_ray.spaces.settings import (
    arch_of,
    point_of,
    read_settings,
    settings_of,
    written,
)

if TYPE_CHECKING:
    from torch import nn

LONGEST = 200
"""Characters of a wrong point that a message repeats."""


class Product:
    """The archs of `space`, each with every value of `settings`.

    A point is one string: the arch, `@`, and the settings in the order in which they were given. The net of a
    point is that of its arch, as are its costs and its index; a short training takes the settings for its
    recipe (`docs/hyper_parameters.md`). What else a product can do is what its space can: it has neighbours,
    an index, costs and versions for a size of images if the space has. It can be listed, and has decisions,
    if the space has and all settings are choices.

    Args:
        space: the archs.
        settings: by name what each may be, a `Choice`, an `Interval` or its text; or all in one text, such as
            `lr=log:0.01..1,batch_size=32/64`.

    Raises:
        UsageError: a space that is a product already, or settings that are none.
    """

    def __new__(cls, space: SearchSpace, settings: Mapping[str, Setting | str] | str) -> Product:
        """Returns an object with the methods that `space` and `settings` allow."""
        SPACE.check("space", space)
        known = read_settings(settings)
        return object.__new__(_with(cls, tuple(part for part, fits in PARTS.items() if fits(space, known))))

    def __init__(self, space: SearchSpace, settings: Mapping[str, Setting | str] | str) -> None:
        if product_of(space) is not None:
            raise UsageError("The space of a product must be one of archs alone; give all settings at once.")
        self.space = space
        self.settings = read_settings(settings)

    def __reduce__(self) -> tuple[type[Product], tuple[SearchSpace, dict[str, Setting]]]:
        """Says how a copy is made in another process."""
        made = next(kind for kind in type(self).__mro__ if kind not in {*PARTS, *_MADE.values()})
        return made, (self.space, self.settings)

    def split(self, point: str) -> tuple[str, dict[str, str]]:
        """Returns the arch of a point, and its settings by name.

        Raises:
            UsageError: no point of this space.
        """
        values = settings_of(point)
        if list(values) != list(self.settings) or not all(
            values[name] in setting for name, setting in self.settings.items()
        ):
            raise UsageError(
                f"A point must read {point_of('ARCH', dict.fromkeys(self.settings, 'VALUE'))} with values of "
                f"{written(self.settings)}, got {point[:LONGEST]!a}."
            )
        return arch_of(point), values

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a point whose arch and settings are drawn uniformly, each on its scale."""
        arch = self.space.sample(rng)
        return point_of(arch, {name: setting.sample(rng) for name, setting in self.settings.items()})

    def build(self, point: str, num_classes: int) -> nn.Module:
        """Returns a new net of the arch.

        Raises:
            UsageError: no point of this space.
        """
        return self.space.build(self.split(point)[0], num_classes)

    def __str__(self) -> str:
        return f"{getattr(self.space, 'name', type(self.space).__name__)}@{written(self.settings)}"


class _Neighbors(Product):
    def neighbors(self, point: str) -> list[str]:
        """Returns the neighbours of the arch with these settings, then those with one setting changed."""
        arch, values = self.split(point)
        return [
            *(point_of(neighbor, values) for neighbor in cast(Neighborhood, self.space).neighbors(arch)),
            *(
                point_of(arch, {**values, name: value})
                for name, setting in self.settings.items()
                for value in setting.neighbors(values[name])
            ),
        ]


class _Members(Product):
    def __contains__(self, point: object) -> bool:
        try:
            return isinstance(point, str) and self.split(point)[0] in cast(FiniteSpace, self.space)
        except UsageError:
            return False


class _Listed(_Members):
    def __len__(self) -> int:
        sizes = [len(cast(Choice, setting).options) for setting in self.settings.values()]
        return len(cast(FiniteSpace, self.space)) * int(np.prod(sizes))

    def __iter__(self) -> Iterator[str]:
        options = [cast(Choice, setting).options for setting in self.settings.values()]
        for values in itertools.product(*options):  # archs in their published order for each
            own = dict(zip(self.settings, values, strict=True))
            yield from (point_of(arch, own) for arch in cast(FiniteSpace, self.space))


class _Decisions(Product):
    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of every decision of the arch, then those of the settings."""
        options = (cast(Choice, setting).options for setting in self.settings.values())
        return (*cast(DecisionSpace, self.space).choices(), *options)

    def decisions(self, point: str) -> tuple[str, ...]:
        """Returns the decisions of the arch, then the settings.

        Raises:
            UsageError: no point of this space.
        """
        arch, values = self.split(point)
        return (*cast(DecisionSpace, self.space).decisions(arch), *values.values())

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the point of these decisions.

        Raises:
            UsageError: they make none.
        """
        count = len(decisions) - len(self.settings)
        arch = cast(DecisionSpace, self.space).assemble(decisions[:count])
        point = point_of(arch, dict(zip(self.settings, decisions[count:], strict=True)))
        self.split(point)
        return point


class _Index(Product):
    def index(self, point: str) -> int:
        """Returns the index of the arch."""
        found: int = cast(Any, self.space).index(self.split(point)[0])
        return found


class _Fitted(Product):
    def for_image_size(self, image_size: int) -> Product:
        """Returns the same points with nets for square images of `image_size` pixels."""
        return Product(fitted_space(self.space, image_size), self.settings)


class _Cost(Product):
    def cost(self, point: str, num_classes: int, image: tuple[int, int, int]) -> Any:
        """Returns the cost of the arch."""
        return cast(Any, self.space).cost(self.split(point)[0], num_classes, image)


class _CostClass(Product):
    def cost_class(self, point: str) -> Hashable:
        """Returns what is equal for archs of equal cost."""
        found: Hashable = cast(Any, self.space).cost_class(self.split(point)[0])
        return found


class _Stem(Product):
    @property
    def stem(self) -> str:
        """The stem of the nets."""
        return str(cast(Any, self.space).stem)


def _choices_alone(settings: Mapping[str, Setting]) -> bool:
    return all(isinstance(setting, Choice) for setting in settings.values())


PARTS: dict[type[Product], Callable[[SearchSpace, Mapping[str, Setting]], bool]] = {
    _Neighbors: lambda space, settings: isinstance(space, Neighborhood),
    _Listed: lambda space, settings: isinstance(space, FiniteSpace) and _choices_alone(settings),
    _Members: lambda space, settings: hasattr(space, "__contains__"),
    _Decisions: lambda space, settings: isinstance(space, DecisionSpace) and _choices_alone(settings),
    _Index: lambda space, settings: isinstance(space, IndexedSpace),
    _Fitted: lambda space, settings: isinstance(space, ImageSizedSpace),
    _Cost: lambda space, settings: isinstance(space, CostSpace),
    _CostClass: lambda space, settings: isinstance(space, CostClassSpace),
    _Stem: lambda space, settings: isinstance(space, StemmedSpace),
}
"""What a product can do where its space and its settings can: who looks for a method finds one that works, or
none."""

_MADE: dict[tuple[type[Product], tuple[type[Product], ...]], type[Product]] = {}


def _with(kind: type[Product], parts: tuple[type[Product], ...]) -> type[Product]:
    """Returns the class of the products of class `kind` that have `parts`."""
    if (kind, parts) not in _MADE:
        about = {"__doc__": kind.__doc__, "__module__": kind.__module__}
        _MADE[kind, parts] = type(kind.__name__, (*parts, kind), about)
    return _MADE[kind, parts]


def product_of(space: SearchSpace) -> Product | None:
    """Returns the product that `space` is or filters; None where its points are archs alone."""
    while not isinstance(space, Product):
        inner = getattr(space, "space", None)
        if inner is None:
            return None
        space = inner
    return space


def arch_space(space: SearchSpace) -> SearchSpace:
    """Returns the space of the archs of `space`: itself, but of a product the one inside."""
    return space.space if isinstance(space, Product) else space
