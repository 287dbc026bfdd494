"""Arguments of library calls: what one must be, as an object that checks it and tells it in one sentence.

`whole(1).check("workers", 0)` raises "workers must be a whole number of at least 1, got 0.". A check is made
where an argument comes in, before anything is done with it.
"""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from os import PathLike
from typing import Any

from nas_ray.errors import UsageError
from nas_ray.rows import shown


@dataclass(frozen=True)
class Kind:
    """What an argument must be.

    Attributes:
        what: it in words, such as "a whole number of at least 1".
        holds: whether a value is one.
        advice: what to do otherwise, the end of the sentence.
        lacks: what a value is without; empty where that is not the reason.
    """

    what: str
    holds: Callable[[object], bool]
    advice: str = ""
    lacks: Callable[[object], str] = lambda value: ""

    def check(self, name: str, value: object) -> None:
        """Checks an argument that the caller knows as `name`.

        Raises:
            UsageError: it is nothing of this kind.
        """
        if self.holds(value):
            return
        got = shown(value) if is_shown(value) else _named(value)
        lacks, advice = self.lacks(value), self.advice and f"; {self.advice}"
        raise UsageError(f"{name} must be {self.what}, got {got}{lacks and f' without {lacks}'}{advice}.")

    @property
    def or_none(self) -> Kind:
        """The same, and None."""
        return replace(
            self, what=f"{self.what} or None", holds=lambda value: value is None or self.holds(value)
        )


def whole(least: int = 1, most: int | None = None) -> Kind:
    """Returns the kind of whole numbers from `least` to `most`, where there is one, numpy's among them."""
    what = (
        f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most:,}"
    )

    def holds(value: Any) -> bool:
        return _is(value, numbers.Integral) and value >= least and (most is None or value <= most)

    return Kind(what, holds)


def real(least: float = 0, *, above: bool = False, finite: bool = True) -> Kind:
    """Returns the kind of numbers from `least`, or above it; infinity is one where `finite` is False."""
    what = f"a number larger than {least:g}" if above else f"a number of at least {least:g}"

    def holds(value: Any) -> bool:
        number = _is(value, numbers.Real) and not math.isnan(value) and not (finite and math.isinf(value))
        return number and (value > least if above else value >= least)

    return Kind(what, holds)


def instance(kind: type | tuple[type, ...], what: str, advice: str = "") -> Kind:
    """Returns the kind of the instances of classes."""
    return Kind(what, lambda value: isinstance(value, kind), advice)


def having(protocol: type, what: str, *asked: str) -> Kind:
    """Returns the kind of what has all that `protocol` names, or of that what is `asked`."""
    names = asked or members(protocol)

    def lacks(value: object) -> str:
        return ", ".join(name for name in missing(value, protocol) if name in names)

    return Kind(
        f"{what} with {', '.join(names)}",
        lambda value: not isinstance(value, type) and not lacks(value),
        lacks=lambda value: "" if isinstance(value, type) or is_shown(value) else lacks(value),
    )


def check_all(kinds: Mapping[str, Kind], given: Mapping[str, object]) -> None:
    """Checks each of `kinds` in what is `given` by name.

    Raises:
        UsageError: one is not of its kind.
    """
    for name, kind in kinds.items():
        kind.check(name, given[name])


CALLABLE = Kind("callable", callable)
TEXT = instance(str, "a string")
PATH = instance((str, PathLike), "a path")


@cache
def members(protocol: type) -> tuple[str, ...]:
    """Returns the attributes and methods that `protocol` and its bases name, in their order."""
    own: dict[str, None] = {}
    for kind in reversed(protocol.__mro__):
        if kind.__module__ in ("builtins", "typing"):
            continue
        own.update(dict.fromkeys(name for name in inspect.get_annotations(kind) if not name.startswith("_")))
        own.update(dict.fromkeys(name for name, value in vars(kind).items() if _is_asked(value, kind)))
    return tuple(own)


def missing(value: object, protocol: type) -> tuple[str, ...]:
    """Returns what of `members(protocol)` a value lacks; a method that it inherits from there is a stub."""
    return tuple(name for name in members(protocol) if not _answers(value, name, protocol))


def is_shown(value: object) -> bool:
    """Returns whether a message can repeat a value: a plain one, and not an object with an address."""
    return value is None or isinstance(value, (str, bytes, int, float, list, tuple, dict, set))


def _answers(value: object, name: str, protocol: type) -> bool:
    stub = getattr(protocol, name, None)
    if inspect.isfunction(stub) and getattr(type(value), name, None) is stub:
        return False
    return getattr(value, name, None) is not None


def _is_asked(value: object, kind: type) -> bool:
    written = getattr(value, "__module__", None) == kind.__module__  # typing adds some of its own
    return isinstance(value, property) or (inspect.isfunction(value) and written)


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _named(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
