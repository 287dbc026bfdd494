"""Reads the arguments that a run folder keeps back into their dataclass."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from nas_ray.errors import LONGEST, UsageError
from nas_ray.safe_files.foreign import check_brings_no_code
from nas_ray.terminal.ranges import ranges_of

PATHS = {"out", "resume", "run", "recipe_from"}
A = TypeVar("A")


def stored_args(args_type: type[A], stored: Any, folder: Path, later: Collection[str] = ()) -> A:
    """Returns the arguments kept in `run.json`.

    The numbers among `later` may be given anew, so that their ranges are checked once that is known.

    Raises:
        UsageError: they are not arguments of this experiment, or the folder would bring code.
    """
    check_brings_no_code(stored, folder)
    try:
        values: dict[str, Any] = dict(stored)
        values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        hints = get_type_hints(args_type)
        values |= {key: Path(values[key]) for key in PATHS if values.get(key) and not _fits("", hints[key])}
        args = args_type(**values)
    except (TypeError, ValueError) as error:
        said = ascii(str(error))[1:-1][:LONGEST]
        raise UsageError(f"{folder} was made by another version: {said}; start a new run.") from error
    for name, hint in hints.items():
        if not _fits(getattr(args, name), hint):
            value = ascii(getattr(args, name))[:LONGEST]
            raise UsageError(
                f"{folder} was changed: {name} must be {_named(hint)}, but is {value}; start a new run."
            )
    for name, known in ranges_of(args_type).items():
        if getattr(args, name) is not None and name not in later:
            known.check(f"{folder} was changed: {name}", getattr(args, name))
    return args


def _named(hint: Any) -> str:
    """Returns what an argument must be, for people."""
    if get_origin(hint) is Literal:
        return " or ".join(get_args(hint))
    return str(getattr(hint, "__name__", hint))


def _fits(value: Any, hint: Any) -> bool:
    """Returns whether `value` is of the type that the annotation `hint` of an argument says."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, kind) for kind in get_args(hint))
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, hint) or (hint is float and isinstance(value, int))
