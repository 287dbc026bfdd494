"""What of a layer is kept beside its kind, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nas_ray.spaces.graphs.graph import LayerGraph, plain

Value = int | float | bool | str | None | tuple["Value", ...]

PROPERTIES = (
    *("out_channels", "out_features", "kernel_size", "stride", "padding", "dilation", "groups"),
    *("output_size", "p", "num_heads", "num_groups"),
)
"""Attributes of layers that say how to build another one that does the same to whatever comes in."""

RELEASED = (
    ("Adaptive", ("output_size",)),
    ("Conv", ("out_channels", "kernel_size")),
    ("AvgPool", ("kernel_size",)),
    ("MaxPool", ("kernel_size",)),
    ("Linear", ("out_features",)),
    ("Dropout", ("p",)),
)
"""By a part of the name of a kind, the first that is there, what the released code of LCMNAS keeps."""

_WORDS: Mapping[str, bool | None] = {"None": None, "True": True, "False": False}
"""What is no number, by its text."""

_SIDES = 3
"""Most dimensions that a kind such as `Conv2d` or `Dropout1d` ends with."""


def properties_of(layer: object, kind: str) -> dict[str, str]:
    """Returns the properties of a layer as texts: those of `PROPERTIES` that it has and whose value is plain.

    A number for a side of images is written once for each, as it is meant: a kernel of 3 in a `MaxPool2d` is
    `3x3`, as it is in a `Conv2d`.
    """
    found = {name: getattr(layer, name) for name in PROPERTIES if hasattr(layer, name)}
    return {name: text_of(value, _sides(kind, name)) for name, value in found.items() if _is_plain(value)}


def text_of(value: Value, sides: int = 1) -> str:
    """Returns a value as a text: `64`, `0.5`, `3x3`, `same`, `7xNone`.

    Args:
        value: a number, a word, None, or several numbers for the sides of an image.
        sides: how often a number alone is meant.
    """
    if isinstance(value, tuple):
        return "x".join(text_of(one) for one in value)
    if sides > 1 and isinstance(value, int):
        return "x".join([str(value)] * sides)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def value_of(text: str) -> Value:
    """Returns what `text_of` wrote: a number, a word, None, or a tuple for the sides of an image."""
    parts = text.split("x")
    if len(parts) > 1 and all(part == "None" or part.lstrip("-").isdigit() for part in parts):
        return tuple(None if part == "None" else int(part) for part in parts)
    if text in _WORDS:
        return _WORDS[text]
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        return number if math.isfinite(number := float(text)) else text
    return text


def released(graph: LayerGraph) -> LayerGraph:
    """Returns the graph as the released code of LCMNAS keeps it.

    Strides, padding, groups and dilation are lost, and every value of a property counts once, however often
    it was met, since that code looks for a text among keys that are none.
    """
    kept = {
        node: {name: dict.fromkeys(of_kind[name], 1) for name in _released_names(node) if name in of_kind}
        for node, of_kind in graph.properties.items()
    }
    return plain(graph.name, graph.transitions, kept)


def even(graph: LayerGraph) -> LayerGraph:
    """Returns a graph in which whatever is there at all counts once: what follows a layer, and each value."""
    transitions = {node: dict.fromkeys(targets, 1) for node, targets in graph.transitions.items()}
    properties = {
        node: {name: dict.fromkeys(values, 1) for name, values in of_kind.items()}
        for node, of_kind in graph.properties.items()
    }
    return plain(graph.name, transitions, properties)


def _released_names(kind: str) -> tuple[str, ...]:
    return next((names for part, names in RELEASED if part in kind), ())


def _sides(kind: str, name: str) -> int:
    digit = kind[-2:-1]
    if name not in ("kernel_size", "stride", "padding", "dilation", "output_size") or kind[-1:] != "d":
        return 1
    return int(digit) if digit.isdigit() and int(digit) <= _SIDES else 1


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(one is None or isinstance(one, int) for one in value)
    return value is None or isinstance(value, (int, float, str))
