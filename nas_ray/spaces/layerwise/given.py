"""The options of the layer-wise space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from nas_ray.errors import UsageError, unknown_name
from nas_ray.rows import shown
from nas_ray.spaces.layerwise.layers import POOLS
from nas_ray.spaces.layerwise.walk import Choices

MOST_LAYERS: Final = 128
"""Layers of the deepest archs; their sequences have less than `sequences.LONGEST` decisions."""
MOST_FILTERS, LARGEST_SIDE, LARGEST_STRIDE = 4_096, 31, 8
MOST_REPEATED = 16
NONE: Final = "none"

_PLAIN: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "least": 6,
        "most": 20,
        "heights": (1, 3, 5, 7),
        "widths": (1, 3, 5, 7),
        "filters": (24, 36, 48, 64),
        "strides": (1,),
        "pools": (),
        "pool_at": (),
        "skips": True,
        "repeat": 1,
    }
)
_POOLING = {
    **_PLAIN,
    "least": 15,
    "most": 15,
    "filters": (6, 12, 24, 36),
    "pools": ("max2",),
    "pool_at": (5, 9),
    "repeat": 3,
}
PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "plain": _PLAIN,
        "strides": {**_PLAIN, "strides": (1, 2, 3)},
        "pooling": _POOLING,
        "filters": {**_POOLING, "filters": tuple(number + 40 for number in _POOLING["filters"])},
    }
)
"""By experiment of the paper, what is not given otherwise."""

_LARGEST = {
    "heights": LARGEST_SIDE,
    "widths": LARGEST_SIDE,
    "filters": MOST_FILTERS,
    "strides": LARGEST_STRIDE,
    "pool_at": MOST_LAYERS,
}
_SINGLE = {"layers": MOST_LAYERS, "least": MOST_LAYERS, "most": MOST_LAYERS, "repeat": MOST_REPEATED}


def read_choices(preset: str, options: Mapping[str, Any]) -> Choices:
    """Returns what layers may be.

    Args:
        preset: a name of `PRESETS`.
        options: what is given beside it, as numbers, sequences or texts; None is not given.

    Raises:
        UsageError: options that cannot be.
    """
    if preset not in PRESETS:
        raise UsageError(unknown_name("preset of the space layerwise", str(preset), list(PRESETS)))
    known = {*_PLAIN, "layers"}
    if unknown := sorted(set(options) - known):
        raise UsageError(unknown_name("option of the space layerwise", unknown[0], sorted(known)))
    given = {name: _read(name, value) for name, value in options.items() if value is not None}
    if "layers" in given:
        if {"least", "most"} & set(given):
            raise UsageError("The space layerwise takes either layers, or least and most.")
        given["least"] = given["most"] = given.pop("layers")
    if given.get("pools") == ():
        given.setdefault("pool_at", ())
    choices = Choices(**{**PRESETS[preset], **_in_order(preset, given)})
    if choices.pool_at and not choices.pools:
        raise UsageError("Pooling layers at given places need a kind; give pools=max2 as well.")
    if choices.repeat > 1 and choices.strides != (1,):
        raise UsageError(
            f"Layers of several convolutions have no strides, got repeat={choices.repeat} and strides="
            f"{'+'.join(map(str, choices.strides))}."
        )
    return choices


def _in_order(preset: str, given: dict[str, Any]) -> dict[str, Any]:
    """Returns what is given, with the other end of the number of layers moved where only one is.

    Raises:
        UsageError: fewer layers at most than at least.
    """
    least, most = PRESETS[preset]["least"], PRESETS[preset]["most"]
    if "least" in given and "most" not in given:
        return {**given, "most": max(most, given["least"])}
    if "most" in given and "least" not in given:
        return {**given, "least": min(least, given["most"])}
    if "most" in given and given["most"] < given["least"]:
        raise UsageError(
            f"An arch of layerwise must have most layers of least or more, got least={given['least']} and "
            f"most={given['most']}."
        )
    return given


def _read(name: str, value: Any) -> Any:
    if name in _SINGLE:
        return _whole(name, value, _SINGLE[name])
    if name == "skips":
        if value not in ("yes", "no", True, False):
            raise UsageError(f"The skips of layerwise must be yes or no, got {shown(value)}.")
        return value in ("yes", True)
    listed = value.split("+") if isinstance(value, str) else value
    parts = tuple(listed) if isinstance(listed, Sequence) else (listed,)
    if name == "pools":
        return () if parts in ((NONE,), ()) else _pools(parts)
    numbers = tuple(_whole(name, part, _LARGEST[name], least=0 if name == "pool_at" else 1) for part in parts)
    if name == "pool_at":
        return tuple(number for number in numbers if number)
    if not numbers or len(set(numbers)) < len(numbers):
        raise UsageError(f"The {name} of layerwise must be different numbers, got {shown(value)}.")
    if name in ("heights", "widths") and not all(number % 2 for number in numbers):
        raise UsageError(f"The {name} of layerwise must be odd, got {shown(value)}.")
    return numbers


def _whole(name: str, value: Any, most: int, least: int = 1) -> int:
    text = str(value)
    number = int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else -1
    if not least <= number <= most:
        raise UsageError(f"The {name} of layerwise must be from {least} to {most:,}, got {shown(value)}.")
    return number


def _pools(parts: Sequence[Any]) -> tuple[str, ...]:
    for part in parts:
        if part not in POOLS:
            raise UsageError(unknown_name("pooling layer", str(part), [*POOLS, NONE]))
    if len(set(parts)) < len(parts):
        raise UsageError(f"The pools of layerwise must be different, got {'+'.join(parts)}.")
    return tuple(parts)
