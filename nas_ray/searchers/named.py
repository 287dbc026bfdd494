"""Searchers by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nas_ray.errors import UsageError
from nas_ray.errors.checks import Kind
from nas_ray.process.plugins import make_named, resolve
from nas_ray.searchers import SEARCHERS, ArchSearcher
from nas_ray.searchers.options import parse_options

NAMED = Kind("a name or a class", lambda value: isinstance(value, str) or callable(value))


def kind_of(searcher: str | Callable[..., ArchSearcher]) -> Callable[..., ArchSearcher]:
    """Returns the class of a searcher that is named, or itself.

    Raises:
        UsageError: unknown.
    """
    if not isinstance(searcher, str):
        return searcher
    known: Callable[..., ArchSearcher] = resolve("searcher", searcher, SEARCHERS, "nas_ray.searchers")
    return known


def make_searcher(
    searcher: str | Callable[..., ArchSearcher], *args: Any, texts: Sequence[str] = (), **options: Any
) -> ArchSearcher:
    """Returns the searcher of that class or name, with options also as `name=value`.

    Raises:
        UsageError: unknown, or no `ArchSearcher`.
    """
    NAMED.check("searcher", searcher)
    known = kind_of(searcher)
    if isinstance(known, type) and not issubclass(known, ArchSearcher):
        raise UsageError(f"The searcher {searcher!r} must be a subclass of nas_ray.ArchSearcher.")
    options |= parse_options(known, texts)
    made = make_named("searcher", str(searcher), known, *args, **options)
    if not isinstance(made, ArchSearcher):
        raise UsageError(f"The searcher {searcher!r} must be a subclass of nas_ray.ArchSearcher.")
    return made
