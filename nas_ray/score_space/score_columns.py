"""The columns that proxies fill, and under which names a folder keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.forms import form
from nas_ray.proxies.identity import identity
from nas_ray.proxies.plugin import resolve_proxies, score_names
from nas_ray.terminal.lists import parted


@dataclass(frozen=True)
class ScoreColumns:
    """Proxies and their columns; in a folder the name of a plug-in is followed by a digest of its source.

    So a plug-in that was edited is another one, and its archs are scored again. A built-in proxy of which a
    later version changed the numbers is followed by its form.

    Attributes:
        proxies: proxies by the name under which a folder keeps them.
        kept: the columns of each of them in a folder.
        shown: what users call these columns.
    """

    proxies: dict[str, Proxy]
    kept: dict[str, tuple[str, ...]]
    shown: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """What users call the columns, in their order."""
        return tuple(self.shown.values())

    def of(self, proxies: Iterable[str]) -> list[str]:
        """Returns the columns that `proxies` fill in a folder."""
        return [column for name in proxies for column in self.kept[name]]

    def renamed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Returns a table of a folder with the names for users."""
        return table.rename(columns=self.shown)


def score_columns(given: Sequence[str]) -> ScoreColumns:
    """Returns the columns of the proxies named, separated by commas or spaces, repeats left out.

    Raises:
        UsageError: none, an unknown one, or a plug-in that fails its check.
    """
    named = resolve_proxies(list(dict.fromkeys(parted(given))))
    proxies: dict[str, Proxy] = {}
    kept: dict[str, tuple[str, ...]] = {}
    shown: dict[str, str] = {}
    for name, proxy in named.items():
        own = _kept_name(name, proxy)
        columns = score_names({name: proxy})
        proxies[own] = proxy
        kept[own] = tuple(own + column.removeprefix(name) for column in columns)
        shown.update(zip(kept[own], columns, strict=True))
    return ScoreColumns(proxies, kept, shown)


def _kept_name(name: str, proxy: Proxy) -> str:
    if PROXIES.get(name) is proxy:
        return name if form(name, proxy) == 1 else f"{name}@{form(name, proxy)}"
    return f"{name}@{hashlib.sha256(identity(name, proxy).encode()).hexdigest()[:8]}"
