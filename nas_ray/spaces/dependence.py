"""Which settings are there, where some depend on others; a light module, for quick answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

from nas_ray.errors import UsageError
from nas_ray.spaces.conditional import Conditional, Setting, middle, plain
from nas_ray.spaces.setting_kinds import Choice


def check_conditions(settings: Mapping[str, Setting]) -> None:
    """Checks that each condition is about a choice that stands before it, and about values of it.

    Raises:
        UsageError: one is not.
    """
    before: dict[str, Setting] = {}
    for name, setting in settings.items():
        if isinstance(setting, Conditional):
            other = before.get(setting.on)
            if other is None or not isinstance(plain(other), Choice):
                raise UsageError(
                    f"The setting {name} must depend on a choice that stands before it, got {setting.on}; "
                    f"there is {', '.join(before) or 'none'}."
                )
            unknown = [value for value in setting.values if value not in other]
            if unknown:
                raise UsageError(
                    f"The setting {name} depends on {setting.on} being {unknown[0]}, which must be one of "
                    f"{'/'.join(other.texts)}."
                )
        before[name] = setting


def is_there(settings: Mapping[str, Setting], name: str, values: Mapping[str, str]) -> bool:
    """Returns whether a point with `values` has the setting `name`."""
    setting = settings[name]
    return not isinstance(setting, Conditional) or values.get(setting.on) in setting.values


def fits(settings: Mapping[str, Setting], values: Mapping[str, str]) -> bool:
    """Returns whether `values` are those of a point: of each setting that is there, in its order."""
    there = [name for name in settings if is_there(settings, name, values)]
    return list(values) == there and all(values[name] in settings[name] for name in there)


def completed(
    settings: Mapping[str, Setting], values: Mapping[str, str], fill: Callable[[Setting], str]
) -> dict[str, str]:
    """Returns the values of a point: of `values` what is there, and `fill` of what is there and missing."""
    made: dict[str, str] = {}
    for name, setting in settings.items():
        if is_there(settings, name, made):
            made[name] = values[name] if name in values else fill(setting)
    return made


def neighbors(settings: Mapping[str, Setting], values: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yields the values of the points with one setting changed to one nearby.

    A setting that comes to be there by this has its middle value.
    """
    for name in values:
        for value in settings[name].neighbors(values[name]):
            yield completed(settings, {**values, name: value}, middle)


def corners(settings: Mapping[str, Setting]) -> Iterator[dict[str, str]]:
    """Yields points of settings, as values by name, that must work so that all points do.

    They are every value that must work by itself, and the extremes of every two settings, as no rule of a
    recipe joins more than two; of a setting on which others depend every value is one. The others have their
    first value then, so that each is a point; what a setting depends on has a value with which it is there.
    """
    for name, setting in settings.items():
        yield from (_with(settings, {name: value}) for value in setting.corners)
    decide = {setting.on for setting in settings.values() if isinstance(setting, Conditional)}
    ends = {name: one.corners if name in decide else one.extremes for name, one in settings.items()}
    for one, other in itertools.combinations(settings, 2):
        for a, b in itertools.product(ends[one], ends[other]):
            yield _with(settings, {one: a, other: b})


def _with(settings: Mapping[str, Setting], values: Mapping[str, str]) -> dict[str, str]:
    wanted = dict(values)
    for name in reversed(list(settings)):  # what depends on another stands behind it
        setting = settings[name]
        if name in wanted and isinstance(setting, Conditional):
            wanted.setdefault(setting.on, setting.values[0])
    return completed(settings, wanted, lambda setting: setting.corners[0])
