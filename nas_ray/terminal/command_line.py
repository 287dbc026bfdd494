"""How a command line becomes a dataclass: numbers in their ranges, paths that name something."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from nas_ray.errors import UsageError, printable
from nas_ray.process.started import started
from nas_ray.terminal.ranges import Range, check_ranges, option

FLAGS = (tyro.conf.FlagCreatePairsOff,)
PATHS = ("out", "resume", "benchmark", "images")
"""Arguments that may be paths without being of that type."""
A = TypeVar("A")


def read_args(
    kind: type[A], description: str | None, argv: Sequence[str] | None = None, default: A | None = None
) -> A:
    """Returns the arguments of a command, checked before anything heavy is imported.

    Args:
        kind: their dataclass; each number among its fields has a `Range`.
        description: what `--help` says first.
        argv: words of the command line; None means this process's own.
        default: what is not given.

    Raises:
        UsageError: a number out of range, or a path that is blank or holds a NUL byte.
    """
    _show_ranges(kind)
    known: dict[str, Any] = {} if default is None else {"default": default}
    how = started()
    words = list(how.arguments if argv is None else argv)
    prog = " ".join(how.program) if how.kind == "command" else None  # None is the name of the script
    with _WORDS:
        args: A = tyro.cli(kind, prog=prog, args=words, description=description or "", config=FLAGS, **known)
    check_args(args)
    return args


def check_args(args: Any) -> None:
    """Checks numbers and paths among the arguments of a command.

    Raises:
        UsageError: a number out of range, or a path that is blank or holds a NUL byte.
    """
    check_ranges(args)
    hints = get_type_hints(type(args), include_extras=True)
    for field in dataclasses.fields(args):
        value = getattr(args, field.name)
        positional = tyro.conf.Positional in getattr(hints[field.name], "__metadata__", ())
        name = field.name.upper() if positional else option(field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Path) or (isinstance(one, str) and field.name in PATHS):
                check_path(name, one)


def check_path(name: str, path: str | Path) -> None:
    """Checks that a path, or the one after the colon of `folder:PATH`, names something.

    Raises:
        UsageError: it is blank or holds a NUL byte.
    """
    text = str(path)
    kind, colon, rest = text.partition(":")
    blank = not text.strip() or (colon and kind in ("npz", "folder") and not rest.strip())
    if blank or "\0" in text:
        shown = printable([text.removeprefix(_BLANK)])[0]
        raise UsageError(
            f"{name} must name a file or folder, so it cannot be blank or hold a NUL byte, got '{shown}'."
        )


_BLANK = "\0"
"""Marks a blank word, of which `Path` would make the working directory."""


def _path(word: str) -> Path:
    return Path(word if word.strip() else _BLANK + word)


def _number(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Returns what reads a number; a word that is none stays a word, which `check_ranges` refuses by name."""

    def number(word: str) -> Any:
        try:
            return read(word)
        except ValueError:
            return word

    return number


_READ: dict[Any, tuple[str, Any, Callable[[str], Any]]] = {
    int: ("INT", int, _number(int)),
    float: ("FLOAT", (int, float), _number(float)),
    Path: ("PATH", Path, _path),
}
_WORDS = ConstructorRegistry()


@_WORDS.primitive_rule
def _words(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    if info.type not in _READ:
        return None
    metavar, kinds, read = _READ[info.type]
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda words: read(words[0]),
        is_instance=lambda value: isinstance(value, kinds) and not isinstance(value, bool),
        str_from_instance=lambda value: [str(value)],
    )


def _show_ranges(kind: type) -> None:
    """Lets `--help` show the range of each number beside its type."""
    for owner in kind.__mro__:
        hints = get_type_hints(owner, include_extras=True)  # a class below may have another range
        for name in inspect.get_annotations(owner):
            extras: tuple[object, ...] = getattr(hints.get(name), "__metadata__", ())
            if len(extras) == 1 and isinstance(extras[0], Range):  # else it was done before
                shown = tyro.conf.arg(metavar=_metavar(hints[name]))
                owner.__annotations__[name] = Annotated[hints[name], shown]


def _metavar(hint: Any) -> str:
    (shown,) = hint.__metadata__
    absent = "{None}|" if type(None) in get_args(get_args(hint)[0]) else ""
    return f"{absent}{'INT' if shown.whole else 'FLOAT'} {shown.short}"
