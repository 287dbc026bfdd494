"""A setting that depends on another one; a light module, for quick answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_ray.errors.checks import instance
from nas_ray.spaces.setting_kinds import Choice, Interval

if TYPE_CHECKING:
    import numpy as np

IF = ":if:"
"""What stands before the condition of a setting, as in `warmup_epochs=0.5..2.0:if:schedule:cosine`."""


@dataclass(frozen=True)
class Conditional:
    """A setting that is there only where another one, a choice, has one of some values.

    A point in which it is not there leaves it out, and the recipe keeps what it says itself.

    Attributes:
        setting: what it may be where it is there.
        on: name of the other setting, which stands before it.
        values: of the other one, with which it is there.

    Raises:
        UsageError: no value, or one that cannot be written.
    """

    setting: Choice | Interval
    on: str
    values: tuple[str, ...]

    def __init__(self, setting: Choice | Interval, on: str, values: Sequence[str | float]) -> None:
        instance((Choice, Interval), "a Choice or an Interval").check("setting", setting)
        object.__setattr__(self, "setting", setting)
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "values", Choice(values).options)

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a value drawn uniformly on the scale."""
        return self.setting.sample(rng)

    def neighbors(self, value: str) -> list[str]:
        """Returns the values nearby."""
        return self.setting.neighbors(value)

    @property
    def texts(self) -> tuple[str, ...]:
        """All values in their order."""
        return self.setting.texts

    def place(self, value: str) -> int:
        """Returns where `value` stands among `texts`."""
        return self.setting.place(value)

    @property
    def corners(self) -> tuple[str, ...]:
        """The values that must work, so that all do."""
        return self.setting.corners

    @property
    def extremes(self) -> tuple[str, ...]:
        """The smallest and the largest value; of words all."""
        return self.setting.extremes

    def __contains__(self, value: object) -> bool:
        return value in self.setting

    def __str__(self) -> str:
        return f"{self.setting}{IF}{self.on}:{'/'.join(self.values)}"


Setting = Choice | Interval | Conditional


def plain(setting: Setting) -> Choice | Interval:
    """Returns what a setting may be, without its condition."""
    return setting.setting if isinstance(setting, Conditional) else setting


def middle(setting: Setting) -> str:
    """Returns the value in the middle of `texts`."""
    return setting.texts[len(setting.texts) // 2]
