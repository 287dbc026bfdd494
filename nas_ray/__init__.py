"""Neural architecture search on Ray Tune with zero-cost proxies and real benchmark accuracy.

The public names are those of `__init__.pyi`. They are imported when they are first used, so that
`import nas_ray` is instant and a searcher needs no torch. Classes of searchers and spaces are in
`nas_ray.searchers` and `nas_ray.spaces`, and contract tests for plug-ins in `nas_ray.testing`.
"""

import importlib
import warnings
from typing import Any

import lazy_loader

__version__ = "0.1.0"

_named, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

_OLD = {
    "NatsTss": "spaces",
    "RandomSearch": "searchers",
    "RegularizedEvolution": "searchers",
    "SkipRea": "searchers",
}
"""Names that have moved, and where to."""


def __getattr__(name: str) -> Any:
    """Returns a public name from the module that defines it."""
    if name not in _OLD:
        return _named(name)
    room = importlib.import_module(f"{__name__}.{_OLD[name]}")
    message = f"nas_ray.{name} has moved; write nas_ray.{_OLD[name]}.{name}."
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return getattr(room, name)
