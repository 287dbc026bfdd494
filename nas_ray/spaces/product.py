"""Archs and settings together: a space whose points are `ARCH@lr=0.1,batch_size=64`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.base import (
    SPACE,
    AnchoredSpace,
    DecisionSpace,
    FiniteSpace,
    Neighborhood,
    SearchSpace,
    SequenceSpace,
    lacking,
)
from nas_ray.spaces.conditional import Setting
from nas_ray.spaces.dependence import completed, fits
from nas_ray.spaces.product_parts import PRODUCT
from nas_ray.spaces.sequences import as_sequence
from nas_ray.spaces.setting_kinds import Choice
from nas_ray.spaces.setting_space import LONGEST, SettingSpace
from nas_ray.spaces.settings import arch_of, point_of, read_settings, settings_of, written
from nas_ray.spaces.wrapping import Wrapping

if TYPE_CHECKING:
    from torch import nn

Settings = Mapping[str, Setting | str] | SettingSpace | str
"""What settings may be given as."""

BY_CHOICES = (FiniteSpace, DecisionSpace, SequenceSpace, AnchoredSpace)
"""What a product is only where each setting is a choice, since an interval has too many values to list."""


class Product(Wrapping):
    """The archs of `space`, each with every value of `settings`.

    A point is one string: the arch, `@`, and the settings in the order in which they were given. The net of a
    point is that of its arch, as are its costs and its index; a short training takes the settings for its
    recipe (`docs/hyper_parameters.md`). What else a product can do is what its space can: it has neighbours,
    an index, costs, children of parents and versions for a size of images if the space has. It can be
    listed, and has decisions or sequences, if the space has and all settings are choices without conditions.

    Args:
        space: the archs.
        settings: by name what each may be, a `Choice`, an `Interval`, a `Conditional` or its text; or all in
            one text, such as `lr=log:0.01..1,batch_size=32/64`; or a `SettingSpace`.

    Raises:
        UsageError: a space that is a product already, or settings that are none.
    """

    PARTS: ClassVar[Mapping[type, type]] = MappingProxyType(PRODUCT)
    SAME_ARCHS: ClassVar[bool] = False

    def __new__(cls, space: SearchSpace, settings: Settings) -> Product:
        """Returns an empty object with the methods that `space` and `settings` allow."""
        SPACE.check("space", space)
        return super().__new__(cls, space, read_settings(settings))

    def __init__(self, space: SearchSpace, settings: Settings) -> None:
        if product_of(space) is not None:
            raise UsageError("The space of a product must be one of archs alone; give all settings at once.")
        self.space = space
        self.settings = read_settings(settings)

    @classmethod
    def passes_on(cls, asked: type, space: SearchSpace, settings: Mapping[str, Setting]) -> bool:
        """Returns whether points can be asked what `asked` asks."""
        listed = all(isinstance(setting, Choice) for setting in settings.values())
        if asked is Neighborhood and not listed and as_sequence(space) is not None:
            return True  # an interval is no sequence, by which searchers would find neighbours otherwise
        if asked is SequenceSpace and not lacking(space, DecisionSpace):
            return False  # decisions of a fixed number are sequences already
        return super().passes_on(asked, space) and (listed or asked not in BY_CHOICES)

    def over(self, space: SearchSpace) -> Product:
        """Returns the same settings beside another space of these archs."""
        return Product(space, self.settings)

    def split(self, point: str) -> tuple[str, dict[str, str]]:
        """Returns the arch of a point, and its settings by name.

        Raises:
            UsageError: no point of this space.
        """
        values = settings_of(point)
        if not fits(self.settings, values):
            raise UsageError(
                f"A point must read {point_of('ARCH', dict.fromkeys(self.settings, 'VALUE'))} with values of "
                f"{written(self.settings)}, got {point[:LONGEST]!a}."
            )
        return arch_of(point), values

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a point whose arch and settings are drawn uniformly, each on its scale."""
        arch = self.space.sample(rng)
        return point_of(arch, completed(self.settings, {}, lambda setting: setting.sample(rng)))

    def build(self, point: str, num_classes: int) -> nn.Module:
        """Returns a new net of the arch.

        Raises:
            UsageError: no point of this space.
        """
        return self.space.build(self.split(point)[0], num_classes)

    def __str__(self) -> str:
        return f"{getattr(self.space, 'name', type(self.space).__name__)}@{written(self.settings)}"


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
