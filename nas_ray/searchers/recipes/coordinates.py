"""A point as coordinates: the decisions of its arch, then its settings, each a place between 0 and 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.searchers.variation import assembled
from nas_ray.spaces.base import FiniteSpace
from nas_ray.spaces.conditional import Setting, plain
from nas_ray.spaces.dependence import completed
from nas_ray.spaces.needs import decision_space, is_member
from nas_ray.spaces.product import product_of
from nas_ray.spaces.setting_kinds import Interval
from nas_ray.spaces.setting_space import SettingSpace
from nas_ray.spaces.settings import arch_of, point_of, settings_of
from nas_ray.spaces.wrapping import innermost

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


@dataclass(frozen=True)
class Options:
    """The options of one decision of an arch, in their order."""

    texts: tuple[str, ...]

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an option drawn uniformly."""
        return self.texts[int(rng.integers(len(self.texts)))]

    def place(self, value: str) -> int:
        """Returns where an option stands."""
        return self.texts.index(value)


Coordinate = Options | Setting
"""What has `texts`, `place(text)` and `sample(rng)`."""


def interval_of(kind: Coordinate) -> Interval | None:
    """Returns the range of a coordinate, with or without a condition; None of options and choices."""
    setting = kind if isinstance(kind, Options) else plain(kind)
    return setting if isinstance(setting, Interval) else None


def settings_in(space: SearchSpace) -> Mapping[str, Setting]:
    """Returns the settings of the points of `space`, filtered or not; none where points are archs."""
    product = product_of(space)
    inner = innermost(space)
    if product is not None:
        return product.settings
    return inner.settings if isinstance(inner, SettingSpace) else {}


class Coordinates:
    """The points of a space as values by name: `decision_000` and so on of the arch, then the settings.

    An arch that is the only one of its space has no decisions. A value of a setting that a point does not
    have is missing.

    Args:
        space: of settings, of archs with decisions, or both; filtered or not.
        user: who needs them, for the message.

    Attributes:
        names: of all coordinates.
        kinds: by name, the values in their order.
        settings: those of `kinds` that are settings.

    Raises:
        UsageError: its archs have no decisions.
    """

    def __init__(self, space: SearchSpace, user: str) -> None:
        self._space, self.settings = space, settings_in(space)
        product = product_of(space)
        if product is not None:
            archs, self._only = product.space, _only_arch(product.space)
        else:
            archs, self._only = space, "" if self.settings else None
        self._decisions = decision_space(archs, user) if self._only is None else None
        self._choices = () if self._decisions is None else tuple(map(tuple, self._decisions.choices()))
        decided = {f"decision_{place:03d}": Options(texts) for place, texts in enumerate(self._choices)}
        self.kinds: dict[str, Coordinate] = {**decided, **self.settings}
        self.names = tuple(self.kinds)

    def split(self, point: str) -> dict[str, str]:
        """Returns the values of a point by name."""
        values = settings_of(point) if self.settings else {}
        if self._decisions is None:
            return values
        arch = arch_of(point) if self.settings else point
        return dict(zip(self.names, self._decisions.decisions(arch), strict=False)) | values

    def join(self, values: Mapping[str, str], fill: Callable[[Setting], str]) -> str | None:
        """Returns the point of `values`, with `fill` of settings that are there and missing.

        Returns:
            None where they make no point of the space.
        """
        arch = self._only
        if self._decisions is not None:
            arch = assembled(self._decisions, [values[name] for name in self.names[: len(self._choices)]])
        if arch is None:
            return None
        point = point_of(arch, completed(self.settings, values, fill)) if self.settings else arch
        return point if is_member(self._space, point) else None

    def units(self, values: Mapping[str, str]) -> np.ndarray:
        """Returns `[coordinates]` places from 0, the first value, to 1, the last; 0.5 of what is missing."""
        found = np.full(len(self.names), 0.5)
        for number, (name, kind) in enumerate(self.kinds.items()):
            if name in values and (last := len(kind.texts) - 1):
                found[number] = kind.place(values[name]) / last
        return found

    def at(self, units: Sequence[float] | np.ndarray) -> dict[str, str]:
        """Returns the values nearest to places from 0 to 1; what lies outside is the first or the last."""
        return {
            name: kind.texts[round(min(max(float(unit), 0.0), 1.0) * (len(kind.texts) - 1))]
            for unit, (name, kind) in zip(units, self.kinds.items(), strict=True)
        }


def cells(kinds: Mapping[str, Coordinate], points: Iterable[Mapping[str, str]]) -> np.ndarray:
    """Returns `[points, coordinates]` in (0, 1): the middle of the cell of each value, all equally wide.

    A value that a point does not have counts as in the middle of all.
    """
    return np.array(
        [
            [
                (kind.place(values[name]) + 0.5) / len(kind.texts) if name in values else 0.5
                for name, kind in kinds.items()
            ]
            for values in points
        ]
    )


def _only_arch(space: SearchSpace) -> str | None:
    """Returns the arch of a space that has one alone; None of any other."""
    return next(iter(space)) if isinstance(space, FiniteSpace) and len(space) == 1 else None
