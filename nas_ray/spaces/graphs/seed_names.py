"""The names of torchvision's classification nets, read from its files; a light module, for quick answers."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

_BUILDER = re.compile(r"^@register_model\(\)\n(?:.*\n)*?def (\w+)\(", re.MULTILINE)


@cache
def seed_names() -> tuple[str, ...]:
    """Returns the names of all classification nets of the installed torchvision, sorted.

    Importing torchvision takes seconds; its files take milliseconds.
    """
    found = importlib.util.find_spec("torchvision")
    places = [] if found is None else found.submodule_search_locations or []
    files = [path for place in places for path in sorted(Path(place, "models").glob("*.py"))]
    return tuple(sorted(name for path in files for name in _BUILDER.findall(path.read_text("utf-8"))))
