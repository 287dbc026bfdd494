"""Settings beside archs, such as a learning rate: how they and a point are written.

A point of a `Product` is `ARCH@lr=0.1,batch_size=64`. A light module, for quick answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nas_ray.errors import UsageError, printable
from nas_ray.errors.checks import instance
from nas_ray.spaces.conditional import IF, Conditional, Setting
from nas_ray.spaces.dependence import check_conditions
from nas_ray.spaces.setting_kinds import Choice, Interval
from nas_ray.spaces.setting_values import VALUE, is_number, number_of

AT = "@"
"""What parts the arch of a point from its settings, and the name of a space from theirs."""

SETTINGS = instance((str, Mapping), "a text such as 'lr=0.01..1', or what each may be by its name")
SETTING = instance(
    (str, Choice, Interval, Conditional), "a text such as '0.01..1', a Choice, an Interval or a Conditional"
)

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_POINT = re.compile(f"(.*){AT}({_NAME}={VALUE}(?:,{_NAME}={VALUE})*)", re.DOTALL)
_FORMS = (
    "lr=0.01/0.1/1 for a choice, lr=0.01..1 for a range, or lr=log:0.01..1 for one on a logarithmic scale"
)


def arch_of(point: str) -> str:
    """Returns the arch of a point, which is what stands before its settings; an arch is its own."""
    found = _POINT.fullmatch(point)
    return found[1] if found else point


def settings_of(point: str) -> dict[str, str]:
    """Returns the settings of a point by name, as they are written in it; an arch has none."""
    found = _POINT.fullmatch(point)
    parts = found[2].split(",") if found else []
    return {name: value for name, _, value in (part.partition("=") for part in parts)}


def point_of(arch: str, settings: Mapping[str, str]) -> str:
    """Returns the point of an arch and settings."""
    return f"{arch}{AT}{','.join(f'{name}={value}' for name, value in settings.items())}"


def space_name(text: str) -> str:
    """Returns the name of the space of the archs, of what `--space` names."""
    return text.partition(AT)[0]


def named_space(text: str) -> tuple[str, dict[str, Setting]]:
    """Returns what `--space` names: the space of the archs, and the settings beside them, if there are any.

    Raises:
        UsageError: settings that are none.
    """
    name, at, settings = text.partition(AT)
    return name, parse_settings(settings) if at else {}


def parse_settings(text: str) -> dict[str, Setting]:
    """Returns the settings that a text names, in its order.

    Args:
        text: such as `lr=log:0.01..1,batch_size=32/64/128,epochs=1..4`.

    Raises:
        UsageError: it names none, one twice, or values that cannot be.
    """
    settings: dict[str, Setting] = {}
    for part in text.split(","):
        name, equals, values = (piece.strip() for piece in part.partition("="))
        if not re.fullmatch(_NAME, name) or not equals or not values:
            raise UsageError(f"A setting must read {_FORMS}; got '{printable([part])[0]}'.")
        if name in settings:
            raise UsageError(f"Each setting must be given once, got {name} twice.")
        settings[name] = parse_setting(name, values)
    check_conditions(settings)
    return settings


def parse_setting(name: str, text: str) -> Setting:
    """Returns what the setting `name` may be.

    Args:
        name: of the setting.
        text: such as `log:0.01..1`, or with a condition `0.5..2.0:if:schedule:cosine/linear`.

    Raises:
        UsageError: values that cannot be.
    """
    values, condition, rest = text.partition(IF)
    if not condition:
        return _parse_plain(name, text)
    on, colon, wanted = (piece.strip() for piece in rest.partition(":"))
    if not re.fullmatch(_NAME, on) or not colon:
        raise UsageError(
            f"A condition must read {name}=VALUES{IF}OTHER:VALUE/VALUE, got '{printable([text])[0]}'."
        )
    return Conditional(_parse_plain(name, values.strip()), on, wanted.split("/"))


def _parse_plain(name: str, text: str) -> Choice | Interval:
    log = text.startswith("log:")
    limits = [limit.strip() for limit in text.removeprefix("log:").split("..")]
    if (log or len(limits) > 1) and not (len(limits) == 2 and all(map(is_number, limits))):
        shown = printable([text])[0]
        raise UsageError(f"The setting {name} must read {_FORMS.replace('lr=', f'{name}=')}; got '{shown}'.")
    try:
        if len(limits) == 1:
            return Choice(text.split("/"))
        least, most = map(number_of, limits)
        return Interval(least, most, log=log)
    except UsageError as error:
        raise UsageError(f"The setting {name} cannot be {printable([text])[0]}: {error}") from error


def read_settings(given: Any) -> dict[str, Setting]:
    """Returns settings that are given as one text, each as a text or what it may be, or as a `SettingSpace`.

    Raises:
        UsageError: none, names that are none, or values that cannot be.
    """
    given = getattr(given, "settings", given)  # of a SettingSpace
    SETTINGS.check("settings", given)
    if isinstance(given, str):
        return parse_settings(given)
    if not given or not all(re.fullmatch(_NAME, str(name)) for name in given):
        raise UsageError(f"Settings must have names such as lr, got {', '.join(map(str, given)) or 'none'}.")
    for name, value in given.items():
        SETTING.check(f"The setting {name}", value)
    read = {
        name: parse_setting(name, value) if isinstance(value, str) else value for name, value in given.items()
    }
    check_conditions(read)
    return read


def written(settings: Mapping[str, Setting]) -> str:
    """Returns settings as `parse_settings` reads them."""
    return ",".join(f"{name}={setting}" for name, setting in settings.items())


def recipe_of(arch: str) -> str:
    """Returns what is searched where an arch is given and only the settings beside it are looked for."""
    return f"the recipe of {arch}"
