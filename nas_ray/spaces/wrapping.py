"""A space around another one, which can be asked exactly what the other can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from nas_ray.spaces.base import SearchSpace, lacking

Made = TypeVar("Made", bound="Wrapping")
Parts = tuple[type, ...]


class Wrapping:
    """A space around `space`, with the methods for which `space` has what they stand on and with no others.

    A subclass has `PARTS`: for each optional protocol (`spaces/base.py`) a class with the methods that pass
    it on. An object gets those parts whose protocol `space` answers (`passes_on`, where other arguments count
    as well), so that `isinstance` with a protocol is true of it exactly where it is true of `space`, whatever
    Python looks at, and in other processes as well.
    """

    PARTS: ClassVar[Mapping[type, type]] = MappingProxyType({})
    SAME_ARCHS: ClassVar[bool] = True  # False where its points are not the archs of `space`
    space: SearchSpace

    def __new__(cls: type[Made], space: SearchSpace, *args: Any, **options: Any) -> Made:
        """Returns an empty object with the parts of `space`."""
        parts = (p for asked, p in cls.PARTS.items() if cls.passes_on(asked, space, *args, **options))
        return _bare(cls, tuple(parts))

    @classmethod
    def passes_on(cls, asked: type, space: SearchSpace, *args: Any, **options: Any) -> bool:
        """Returns whether an object made of these arguments can be asked what `asked` asks."""
        return not lacking(space, asked)

    def __reduce__(self) -> tuple[Any, ...]:
        """Returns how it is made again elsewhere: its class is made there."""
        whole = type(self)
        made = vars(whole).get("_MADE_OF")
        return (_bare, made or (whole, ()), self.__dict__)


def innermost(space: SearchSpace) -> SearchSpace:
    """Returns the space whose archs those of `space` are: what lies in its filters, or itself."""
    while isinstance(space, Wrapping) and space.SAME_ARCHS:
        space = space.space
    return space


def _bare(cls: type[Made], parts: Parts) -> Made:
    whole: type[Made] = cls
    if parts:
        whole = _with_parts(cls, parts)  # type: ignore[arg-type]  # a class can be hashed
    return object.__new__(whole)


@cache
def _with_parts(cls: type, parts: Parts) -> Any:
    """Returns `cls` with `parts` behind it: what a subclass says itself comes first."""
    said = {"__module__": cls.__module__, "__doc__": cls.__doc__, "__qualname__": cls.__qualname__}
    return type(cls.__name__, (cls, *parts), {**said, "_MADE_OF": (cls, parts)})
