"""Which form of a built-in proxy a stored score has, where a later version changed the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.fisher_channels import fisher_channels

FORMS = {"fisher": 2}
"""The present form of a built-in proxy; 1 for those that always gave the same numbers."""

FORMER: dict[str, Proxy] = {"fisher": fisher_channels}
"""What computes form 1."""


def form(name: str, proxy: Proxy) -> int:
    """Returns the form of a proxy, 1 for one that is not of this package."""
    return FORMS.get(name, 1) if PROXIES.get(name) is proxy else 1


def later_forms(names: Iterable[str]) -> dict[str, int]:
    """Returns the forms of those `names` that have changed, as run folders keep them."""
    return {name: FORMS[name] for name in names if name in FORMS}


def as_stored(proxies: Mapping[str, Proxy], stored: object) -> dict[str, Proxy]:
    """Returns `proxies` in the forms of a run, so that its later rows compare with its first.

    Args:
        proxies: by column, in their present form.
        stored: what the run folder keeps, `later_forms`; a run of an older version keeps none.
    """
    known = stored if isinstance(stored, dict) else {}
    former = {
        name: FORMER[name]
        for name, proxy in proxies.items()
        if form(name, proxy) > 1 and known.get(name) != form(name, proxy)
    }
    return {**proxies, **former}
