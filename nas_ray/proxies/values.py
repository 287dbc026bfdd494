"""What a proxy returned, as columns of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nas_ray.rows import OF_SECONDS, number

Values = dict[str, float]


def named_values(name: str, value: Any) -> Values:
    """Returns what a proxy returned as columns: `{name: value}`, or `{name.key: value}` for a dict.

    Raises:
        TypeError: the value is no number and no dict of numbers.
        OverflowError: a number is too large for a float.
    """
    if not isinstance(value, Mapping):
        return {name: _number("", value)}
    if not value:
        raise TypeError("a proxy must return a float or a dict of floats, got an empty dict")
    if wrong := [key for key in value if not is_key(key)]:
        raise TypeError(f"a proxy must name its scores by {KEYS}, got {wrong[0]!r}")
    return {f"{name}.{key}": _number(f" as {key!r}", item) for key, item in value.items()}


KEYS = f"texts without a comma or blanks around them that do not end in {OF_SECONDS}"
"""What the keys of a dict of scores may be."""


def is_key(key: Any) -> bool:
    """Returns whether a proxy may name one of its scores so."""
    return (
        isinstance(key, str)
        and key.isprintable()
        and key.strip() == key != ""
        and "," not in key
        and not key.endswith(OF_SECONDS)
    )


def announced(name: str, values: Values, columns: Sequence[str]) -> tuple[Values, list[str]]:
    """Returns `values` with NaN in the `columns` that are missing, and a sentence about each of these.

    Args:
        name: of the proxy.
        values: what it gave for a net, by column.
        columns: those that it filled when it was checked; a net may give more.
    """
    missing = [column for column in columns if column not in values]
    said = [f"{name}: gave no {column.removeprefix(f'{name}.')!r} as on a small net" for column in missing]
    return {**dict.fromkeys(missing, float("nan")), **values}, said


def _number(where: str, value: Any) -> float:
    try:
        return number(value)
    except (TypeError, ValueError, OverflowError) as error:
        kind = OverflowError if isinstance(error, OverflowError) else TypeError
        raise kind(f"a proxy must return a float or a dict of floats, but {error}{where}") from error
