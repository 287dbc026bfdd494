"""What tells a proxy from another of its name, and its columns in a row."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Mapping
from typing import Any

from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.forms import form


def columns_of(name: str, row: Mapping[str, Any]) -> list[str]:
    """Returns the columns of the proxy `name` in a row: its own, or one per entry of a dict."""
    return [column for column in row if column == name or column.startswith(f"{name}.")]


def identity(name: str, proxy: Proxy) -> str:
    """Returns what tells a proxy from another of its name: its form, or for a plug-in its source."""
    if PROXIES.get(name) is proxy:
        return "built in" if form(name, proxy) == 1 else f"built in, form {form(name, proxy)}"
    module = sys.modules.get(getattr(proxy, "__module__", "") or "")
    try:
        source = inspect.getsource(module) if module else ""
    except (OSError, TypeError):
        source = ""
    where = f"{getattr(proxy, '__module__', '')}:{getattr(proxy, '__qualname__', type(proxy).__name__)}"
    return f"{where} {hashlib.sha256(source.encode()).hexdigest()}"
