"""Settings as a space of their own: points without an arch, such as `@lr=0.1,batch_size=64`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.conditional import Setting
from nas_ray.spaces.dependence import completed, fits, neighbors
from nas_ray.spaces.settings import arch_of, point_of, read_settings, settings_of, written

LONGEST = 200
"""Characters of a wrong point that a message repeats."""


class SettingSpace:
    """All values of some settings; `Product` joins them to the archs of a space.

    A point is what stands behind an arch in a product, so its arch is the empty text. There is no net, and an
    evaluator of one's own reads `settings_of(point)`.

    Args:
        settings: by name what each may be, a `Choice`, an `Interval`, a `Conditional` or its text; or all in
            one text, such as `lr=log:0.01..1,batch_size=32/64`.

    Raises:
        UsageError: settings that are none.
    """

    def __init__(self, settings: Mapping[str, Setting | str] | str) -> None:
        self.settings = read_settings(settings)

    def split(self, point: str) -> dict[str, str]:
        """Returns the settings of a point by name.

        Raises:
            UsageError: no point of this space.
        """
        values = settings_of(point)
        if arch_of(point) or not fits(self.settings, values):
            raise UsageError(
                f"A point must read {point_of('', dict.fromkeys(self.settings, 'VALUE'))} with values of "
                f"{self}, got {point[:LONGEST]!a}."
            )
        return values

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a point whose settings are drawn uniformly, each on its scale."""
        return point_of("", completed(self.settings, {}, lambda setting: setting.sample(rng)))

    def neighbors(self, point: str) -> list[str]:
        """Returns the points with one setting changed to a value nearby."""
        return [point_of("", values) for values in neighbors(self.settings, self.split(point))]

    def __contains__(self, point: object) -> bool:
        try:
            return isinstance(point, str) and bool(self.split(point))
        except UsageError:
            return False

    def __str__(self) -> str:
        return written(self.settings)
