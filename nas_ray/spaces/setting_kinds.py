"""What a setting may be: one of a choice, or a number of an interval; a light module, for quick answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nas_ray.errors import UsageError
from nas_ray.errors.checks import Kind
from nas_ray.spaces.setting_values import LARGEST, is_number, number_of, number_text, value_text

if TYPE_CHECKING:
    import numpy as np

STEPS = 1_000
"""Steps between the limits of an interval."""
SHARES = (0.01, 0.05, 0.2)
"""How far the neighbours of a value are, as shares of the interval."""

VALUES = Kind(
    "a list of values", lambda value: isinstance(value, Iterable) and not isinstance(value, (str, Mapping))
)


@dataclass(frozen=True)
class Choice:
    """One of several values: numbers, words, or true and false; no one is nearer to another.

    Attributes:
        options: the values as a point writes them.

    Raises:
        UsageError: no value, one twice, or one that cannot be written.
    """

    options: tuple[str, ...]

    def __init__(self, options: Sequence[str | float]) -> None:
        VALUES.check("options", options)
        made = tuple(map(value_text, options))
        if not made or len(set(made)) < len(made):
            raise UsageError(f"A choice must name each of its values once, got '{'/'.join(made)}'.")
        object.__setattr__(self, "options", made)

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an option drawn uniformly."""
        return self.options[int(rng.integers(len(self.options)))]

    def neighbors(self, value: str) -> list[str]:
        """Returns all other options."""
        return [option for option in self.options if option != value]

    @property
    def texts(self) -> tuple[str, ...]:
        """All values, in the order given."""
        return self.options

    def place(self, value: str) -> int:
        """Returns where `value` stands among `texts`."""
        return self.options.index(value)

    @property
    def corners(self) -> tuple[str, ...]:
        """The values that must work, so that all do."""
        return self.options

    @property
    def extremes(self) -> tuple[str, ...]:
        """The smallest and the largest value; of words all."""
        if not all(map(is_number, self.options)):
            return self.options
        return min(self.options, key=number_of), max(self.options, key=number_of)

    def __contains__(self, value: object) -> bool:
        return value in self.options

    def __str__(self) -> str:
        return "/".join(self.options)


@dataclass(frozen=True)
class Interval:
    """Numbers between two limits, evenly or on a logarithmic scale; whole ones where both limits are.

    Values lie on a grid of at most 1,001, evenly spaced on the scale and rounded: to four significant digits
    on a logarithmic scale, else to a ten-thousandth of the interval. So a value has one text, and the
    neighbours of each are few. `neighbors` are what lies 1 %, 5 % and 20 % of the interval away on its scale.

    Attributes:
        least: smallest value.
        most: largest value.
        log: whether the scale is logarithmic.

    Raises:
        UsageError: limits that are none.
    """

    least: float
    most: float
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("least", "most"):
            if hasattr(limit := getattr(self, name), "item"):  # a number of numpy or torch
                object.__setattr__(self, name, limit.item())
        limits = (self.least, self.most)
        if not all(isinstance(x, (int, float)) and abs(x) <= LARGEST for x in limits) or any(
            isinstance(x, bool) for x in limits
        ):
            raise UsageError(f"The limits of a range must be finite numbers, got {_shown(self)}.")
        if not self.least < self.most:
            raise UsageError(
                f"The first limit of a range must be below the second, got {_shown(self)}; give one value as "
                "in lr=0.1."
            )
        if self.log and self.least <= 0:
            raise UsageError(f"A range on a logarithmic scale must begin above 0, got {_shown(self)}.")

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are in the interval."""
        return isinstance(self.least, int) and isinstance(self.most, int)

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a value drawn uniformly on the scale."""
        return self._grid[int(rng.integers(len(self._grid)))]

    def neighbors(self, value: str) -> list[str]:
        """Returns the values nearby, the smallest first; who is a neighbour has one."""
        last = len(self._grid) - 1
        steps = {max(1, round(share * last)) for share in SHARES}
        near = {
            self._grid[place + step * sign]
            for place in self._places.get(value) or [self._nearest(value)]
            for step in steps
            for sign in (-1, 1)
            if 0 <= place + step * sign <= last
        }
        return sorted(near - {value}, key=float)

    @property
    def texts(self) -> tuple[str, ...]:
        """The values of the grid, the smallest first; rounding may repeat one."""
        return self._grid

    def place(self, value: str) -> int:
        """Returns where `value` stands among `texts`, the first of equal ones or else the nearest."""
        return self._places[value][0] if value in self._places else self._nearest(value)

    @property
    def corners(self) -> tuple[str, ...]:
        """The values that must work, so that all do."""
        return self._grid[0], self._grid[-1]

    extremes = corners

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, str) or not is_number(value) or number_text(number_of(value)) != value:
            return False
        number = number_of(value)
        return self.least <= number <= self.most and (isinstance(number, int) or not self.whole)

    def __str__(self) -> str:
        limits = [number_text(limit) for limit in (self.least, self.most)]
        if not self.whole and all(isinstance(number_of(limit), int) for limit in limits):
            limits = [f"{limit}.0" for limit in limits]
        return f"{'log:' if self.log else ''}{'..'.join(limits)}"

    @cached_property
    def _grid(self) -> tuple[str, ...]:
        if self.whole and not self.log and self.most - self.least <= STEPS:
            return tuple(map(str, range(int(self.least), int(self.most) + 1)))
        inner = (number_text(self._at(step / STEPS)) for step in range(1, STEPS))
        return number_text(self.least), *inner, number_text(self.most)

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, value in enumerate(self._grid):
            places.setdefault(value, []).append(place)
        return places

    def _at(self, share: float) -> float:
        if self.log:
            exact = math.exp((1 - share) * math.log(self.least) + share * math.log(self.most))
            value = float(f"{exact:.4g}")
        else:
            exact = (1 - share) * self.least + share * self.most
            value = round(exact, 4 - math.floor(math.log10(self.most - self.least)))
        value = round(exact) if self.whole else value
        return min(max(value, self.least), self.most)

    def _nearest(self, value: str) -> int:
        number = float(value)
        return min(range(len(self._grid)), key=lambda place: abs(float(self._grid[place]) - number))


def _shown(interval: Interval) -> str:
    return f"'{'log:' if interval.log else ''}{interval.least}..{interval.most}'"
