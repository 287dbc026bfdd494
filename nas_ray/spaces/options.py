"""Spaces with options, such as `darts:channels=36,cells=20`; a light module, for quick answers."""

from __future__ import annotations

from typing import Any, Final

from nas_ray.errors import UsageError, printable, unknown_name

_SIZES: Final[dict[str, type]] = {"channels": int, "cells": int}
_OF_BLOCKS: Final[dict[str, type]] = {**_SIZES, "blocks": int, "stem_channels": int}
_OF_TEXT: Final[dict[str, type]] = {"width": int, "embedding": int}

_LAYERWISE: Final[dict[str, type]] = {
    **dict.fromkeys(("layers", "least", "most", "repeat"), int),
    **dict.fromkeys(("preset", "heights", "widths", "filters", "strides"), str),
    **dict.fromkeys(("pools", "pool_at", "skips", "head"), str),
}

OPTIONS: Final[dict[str, dict[str, type]]] = {
    "nats-tss": _SIZES,
    "darts": {**_SIZES, "ops": str},
    "layerwise": _LAYERWISE,
    **dict.fromkeys(("darts-s1", "darts-s2", "darts-s3", "darts-s4", "darts-cells"), _SIZES),
    **dict.fromkeys(("nasnet", "pnas"), _OF_BLOCKS),
    "grammar": {**dict.fromkeys(("nodes", "depth", "params", "pixels", "values"), int), "start": str},
    "nasnet-cells": {**_SIZES, "stem_channels": int},
    "macro": {"as": str, **dict.fromkeys(("layers", "params", "memory"), int), "mutation": float},
    **dict.fromkeys(("darts-rnn", "rnn-nets"), _OF_TEXT),
    "rnn-tree": {**_OF_TEXT, "base": int},
}
"""By the name of a space, the options that a text may give it: arguments of its class."""

ARGUMENTS: Final = {"as": "variant"}
"""The argument of an option whose name Python reserves."""

WITHOUT: Final = ("nats-sss", "grammar-nets", "layerwise-nets", "hand-designed")
"""The other spaces of this package."""


READ_TEXTS: Final = ("darts-rnn", "rnn-tree", "rnn-nets")
"""The spaces of this package whose nets read a text; those of all others read images."""


def named_options(text: str) -> tuple[str, dict[str, Any]]:
    """Returns the name of a space, and the options that stand behind it, as in `darts:channels=36,cells=20`.

    Args:
        text: a space without settings (`settings.named_space`); `module:class` has no options.

    Raises:
        UsageError: unknown options, one twice, or a value of another type.
    """
    name, colon, rest = text.partition(":")
    known = name in OPTIONS or name in WITHOUT
    if not colon or not known or (rest and "=" not in rest):  # mine:Space, and darts:Space of a file
        return text, {}
    if name in WITHOUT:
        raise UsageError(f"The space {name} has no options, got {printable([rest])[0]!r}; name it alone.")
    options: dict[str, Any] = {}
    for part in rest.split(","):
        option, _, value = (piece.strip() for piece in part.partition("="))
        if option not in OPTIONS[name]:
            raise UsageError(unknown_name(f"option of the space {name}", option, list(OPTIONS[name])))
        argument = ARGUMENTS.get(option, option)
        if argument in options or not value:
            raise UsageError(f"The space {text!r} must give {option} once, as {option}=VALUE.")
        options[argument] = _value(name, option, value)
    return name, options


def _value(name: str, option: str, value: str) -> Any:
    try:
        return OPTIONS[name][option](value)
    except ValueError as error:
        what, shown = "a whole number" if OPTIONS[name][option] is int else "a number", printable([value])[0]
        raise UsageError(f"The {option} of {name} must be {what}, got '{shown}'.") from error
