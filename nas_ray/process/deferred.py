"""Imports that other packages make as they are imported, put off until what they import is used."""

from __future__ import annotations

import builtins
import contextlib
import sys
from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from typing import Any

_inside = 0


class Later:
    """A module, a function, a class, or what a call of one returns, that is found when it is first used.

    That is when it is called or asked for an attribute; while imports are put off, that is put off as well,
    as where it is a decorator. `isinstance` and `issubclass` may be asked about it at any time.

    Args:
        path: what it is, for people.
        module: the one whose import brings it.
        find: imports and returns it.
    """

    def __init__(self, path: str, module: str, find: Callable[[], Any]) -> None:
        self._path = path
        self._module = module
        self._find = find

    def __getattr__(self, name: str) -> Any:
        """Returns an attribute; special ones, for which `typing` looks, are not there."""
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        path = f"{self._path}.{name}"

        def find() -> Any:
            found = self._find()
            if not hasattr(found, name):
                import_module(path)
            return getattr(found, name)

        return Later(path, self._module, find) if _inside else find()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Calls it."""
        if not _inside:
            return self._find()(*arguments, **options)
        return Later(f"{self._path}()", self._module, lambda: self._find()(*arguments, **options))

    def __instancecheck__(self, thing: Any) -> bool:
        """Returns whether `thing` is one; of a class that nothing has imported there is none."""
        return self._module in sys.modules and isinstance(thing, self._find())

    def __subclasscheck__(self, kind: Any) -> bool:
        """Returns whether `kind` is derived from it, likewise."""
        return self._module in sys.modules and issubclass(kind, self._find())

    def __repr__(self) -> str:
        return f"<{self._path}, not yet imported>"


@contextlib.contextmanager
def deferred(packages: Collection[str], by: Collection[str]) -> Iterator[None]:
    """Puts off the imports of `packages` that modules of the packages `by` make inside, but for loaded ones.

    All other imports, those of other threads among them, are as always.

    Args:
        packages: dotted names, of what is only used in functions or asked about with `isinstance`.
        by: names of whole packages.
    """
    global _inside
    ordinary = builtins.__import__

    def importing(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        package = None if level else next((p for p in packages if f"{name}.".startswith(f"{p}.")), None)
        by_whom = (globals or {}).get("__name__", "").partition(".")[0]
        bound = name if fromlist else name.partition(".")[0]  # `import a.b` gives `a`
        if package is None or name in sys.modules or by_whom not in by or len(bound) < len(package):
            return ordinary(name, globals, locals, fromlist, level)
        return Later(bound, name, lambda: import_module(bound))

    _inside += 1
    builtins.__import__ = importing
    try:
        yield
    finally:
        builtins.__import__ = ordinary
        _inside -= 1
