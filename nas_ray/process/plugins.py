"""Turns a name from the command line into an object: built in, an entry point, or `module:name`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Collection, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

from nas_ray.errors import UsageError, describe, unknown_name

T = TypeVar("T")


def resolve(kind: str, name: str, known: Mapping[str, T], group: str | None = None) -> T:
    """Returns the object that `name` stands for.

    Looked up in this order: the built-in dict `known`, the entry-point group `group` of installed
    packages, an importable `module:name` (the working directory counts as importable, as with `python -m`).

    Args:
        kind: the word for an error message, such as `"proxy"`.
        name: what the user wrote.
        known: the built-in objects by name.
        group: entry-point group, such as `"nas_ray.proxies"`.

    Raises:
        UsageError: nothing has that name; the message lists what exists and the nearest match.
    """
    if name in known:
        return known[name]
    installed = _installed(group)
    if name in installed:
        return cast(T, _load_entry_point(kind, name, installed[name]))
    if ":" in name:
        return cast(T, _import_object(kind, name))
    raise UsageError(unknown_name(kind, name, [*known, *installed], plugin=group is not None))


def check_name(kind: str, name: str, known: Collection[str], group: str | None = None) -> None:
    """Checks that `name` stands for something, as far as that is known without importing anything.

    Args:
        kind: the word for an error message.
        name: what the user wrote.
        known: built-in names.
        group: entry-point group; None where there are no plug-ins.

    Raises:
        UsageError: nothing can have that name, in the words of `resolve`.
    """
    if name in known:
        return
    installed = _installed(group)
    if group is not None and ":" in name and name not in installed:
        _check_found(kind, name)
    elif name not in installed:
        raise UsageError(unknown_name(kind, name, [*known, *installed], plugin=group is not None))


def _installed(group: str | None) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)} if group else {}


def _load_entry_point(kind: str, name: str, entry: Any) -> Any:
    try:
        return entry.load()
    except (Exception, SystemExit) as error:
        package = entry.dist.name if entry.dist else "unknown"
        raise UsageError(
            f"The {kind} {name!r} of package {package!r} cannot be loaded: {describe(error)}."
        ) from error


def _parts(kind: str, name: str) -> tuple[str, str]:
    """Returns module and attribute of `module:name`."""
    module_name, _, attribute = name.partition(":")
    if not (attribute and all(part.isidentifier() for part in module_name.split("."))):
        raise UsageError(
            f"The {kind} {name!r} must read module:name, with a module that Python can import from here, "
            "such as mine:thing for the file mine.py."
        )
    return module_name, attribute


def _check_found(kind: str, name: str) -> None:
    """Checks that there is a module of that name, without importing it.

    Raises:
        UsageError: there is none.
    """
    module = _parts(kind, name)[0]
    first = module.partition(".")[0]  # to look for the rest would import it
    if first in sys.modules or PathFinder.find_spec(first, [os.getcwd()]):
        return
    if importlib.util.find_spec(first) is None:
        missing = ModuleNotFoundError(f"No module named {first!r}")
        raise UsageError(_unimportable(kind, name, module, missing))


def _unimportable(kind: str, name: str, module: str, error: BaseException) -> str:
    return f"The {kind} {name!r} needs an importable module {module!r}, but: {describe(error)}."


def _import_object(kind: str, name: str) -> Any:
    module_name, attribute = _parts(kind, name)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a plug-in file may fail in any way while it is imported
        raise UsageError(_unimportable(kind, name, module_name, error)) from error
    if not hasattr(module, attribute):
        raise UsageError(
            f"The {kind} {name!r} names {attribute!r}, which {getattr(module, '__file__', module_name)} does "
            "not define."
        )
    return getattr(module, attribute)


PACKAGE = Path(__file__).parents[1]

_by_value: set[str] = set()


def ship_by_value(thing: Any) -> None:
    """Lets workers get the code of a module that they could not import, such as a file in this directory.

    Only noted here; whoever sends something to workers asks for `shipped_by_value`.
    """
    module = sys.modules.get(getattr(thing, "__module__", "") or "")
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__ == "__main__" or "site-packages" in file:
        return
    if Path(file).is_relative_to(PACKAGE):
        return
    _by_value.add(module.__name__)


def shipped_by_value() -> list[ModuleType]:
    """Returns the modules whose code travels with what is of them."""
    return [sys.modules[name] for name in sorted(_by_value) if name in sys.modules]


def make_named(kind: str, name: str, make: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Returns `make(*args, **options)`, which may be foreign code.

    Raises:
        UsageError: it raises.
    """
    try:
        return make(*args, **options)
    except UsageError:
        raise
    except Exception as error:  # foreign code
        raise UsageError(f"The {kind} {name!r} cannot be made: {describe(error)}.") from error
