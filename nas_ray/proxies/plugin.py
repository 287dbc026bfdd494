"""Names on the command line become proxies; foreign ones are checked on a tiny net before a search starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nas_ray.errors import UsageError
from nas_ray.errors.checks import Kind
from nas_ray.process.plugins import resolve, ship_by_value
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.measured import MEASURED
from nas_ray.proxies.plugin_check import check_proxy, checked_columns
from nas_ray.rows import OF_SECONDS, RESERVED

GROUP = "nas_ray.proxies"
PARTING = ",:;="
"""Characters that part names from each other, in a fitness or in an error."""


LISTED = Kind(
    "a list of names and functions",
    lambda value: isinstance(value, Iterable) and not isinstance(value, (str, bytes)),
    "write ['naswot'] for one",
)
ONE = Kind("a name or a function", lambda value: isinstance(value, str) or callable(value))


def resolve_proxies(names: Sequence[str | Proxy]) -> dict[str, Proxy]:
    """Returns proxies by column name, given as built-in names, entry points, `module:function`, or functions.

    The column of `module:function`, or of a function, is the function's name. Whatever does not come with
    this package is checked (`check_proxy`) and, unless its module is installed, travels to the workers by
    value.

    Raises:
        UsageError: unknown name, two proxies of one name, nothing given, or a failed check.
    """
    LISTED.check("Proxies", names)
    proxies: dict[str, Proxy] = {}
    for given in names:
        ONE.check("A proxy", given)
        proxy = resolve("proxy", given, {**PROXIES, **MEASURED}, GROUP) if isinstance(given, str) else given
        name = _name(given, proxy)
        _check_name(name)
        if name in proxies:
            raise UsageError(f"Each proxy needs its own name, but {name!r} was given twice; rename one.")
        if not is_built_in(name, proxy):
            check_proxy(name, proxy)
            ship_by_value(proxy)
        proxies[name] = proxy
    if not proxies:
        raise UsageError(f"At least one proxy is needed; known: {', '.join(sorted(PROXIES))}.")
    _check_columns(proxies)
    return proxies


def _check_name(name: Any) -> None:
    """Raises a `UsageError` unless a column of scores may be called so."""
    if not isinstance(name, str) or not name.isprintable() or not set(name).isdisjoint({*PARTING, " "}):
        raise UsageError(
            f"A proxy must be named by a text without blanks and without any of {PARTING}, got {name!r}; "
            "rename it."
        )
    if not name or name in RESERVED or name.endswith(OF_SECONDS):
        raise UsageError(f"A proxy cannot be named {name!r}, which is another column of the rows; rename it.")


def _check_columns(proxies: dict[str, Proxy]) -> None:
    """Raises a `UsageError` where columns of two proxies look alike: those of `a` with `b`, and `a.b`."""
    for name in proxies:
        if inside := [other for other in proxies if other.startswith(f"{name}.")]:
            raise UsageError(
                f"The scores of the proxies {name!r} and {inside[0]!r} cannot be told apart, since columns "
                f"that begin with {name + '.'!r} are those of {name!r}; rename one."
            )


def is_built_in(name: str, proxy: Any) -> bool:
    """Returns whether `proxy` is what this package calls `name`, a proxy or a measured cost."""
    return PROXIES.get(name) is proxy or MEASURED.get(name) is proxy


def _name(given: str | Proxy, proxy: Proxy) -> str:
    """Returns the column: what the command line says behind the colon, or the name of the function."""
    if isinstance(given, str):
        return given.rpartition(":")[2]
    return getattr(proxy, "__name__", type(proxy).__name__)


def score_names(proxies: Mapping[str, Proxy]) -> list[str]:
    """Returns the columns of rows: one per proxy, or `name.key` per entry of one that returns a dict."""
    return [
        column
        for name, proxy in proxies.items()
        for column in known_columns(name, proxy) or check_proxy(name, proxy)
    ]


def known_columns(name: str, proxy: Proxy) -> tuple[str, ...]:
    """Returns the columns that a proxy must fill; none for a foreign one that was never checked."""
    return (name,) if is_built_in(name, proxy) else checked_columns(name, proxy)
