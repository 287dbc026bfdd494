"""Neural architecture search on Ray Tune with zero-cost proxies and real benchmark accuracy.

The public names below are imported when they are first used, so that `import nas_ray` is instant and a
searcher needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas_ray.benchmarks import open_benchmark
    from nas_ray.drivers.simulation import simulate
    from nas_ray.drivers.tune_search import tune_search
    from nas_ray.drivers.tune_searcher import TuneSearcher
    from nas_ray.errors import UsageError
    from nas_ray.evaluation.proxy_scores import Lookup, ProxyScores
    from nas_ray.images.image_data import ImageDataModule
    from nas_ray.proxies.plugin import resolve_proxies
    from nas_ray.searchers import ArchSearcher, RandomSearch, RegularizedEvolution, SkipRea, parse_fitness
    from nas_ray.spaces import NatsTss
    from nas_ray.training.trained import load

__version__ = "0.1.0"

_HOME = {
    "ArchSearcher": "searchers",
    "ImageDataModule": "images.image_data",
    "Lookup": "evaluation.proxy_scores",
    "NatsTss": "spaces",
    "ProxyScores": "evaluation.proxy_scores",
    "RandomSearch": "searchers",
    "RegularizedEvolution": "searchers",
    "SkipRea": "searchers",
    "TuneSearcher": "drivers.tune_searcher",
    "UsageError": "errors",
    "load": "training.trained",
    "open_benchmark": "benchmarks",
    "parse_fitness": "searchers",
    "resolve_proxies": "proxies.plugin",
    "simulate": "drivers.simulation",
    "tune_search": "drivers.tune_search",
}

__all__ = [
    "ArchSearcher",
    "ImageDataModule",
    "Lookup",
    "NatsTss",
    "ProxyScores",
    "RandomSearch",
    "RegularizedEvolution",
    "SkipRea",
    "TuneSearcher",
    "UsageError",
    "load",
    "open_benchmark",
    "parse_fitness",
    "resolve_proxies",
    "simulate",
    "tune_search",
]


def __getattr__(name: str) -> Any:
    """Returns a public name from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
