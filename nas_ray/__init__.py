"""Neural architecture search on Ray Tune with zero-cost proxies and real benchmark accuracy.

The public names below are imported when they are first used, so that `import nas_ray` is instant and a
searcher needs no torch. Classes of searchers and spaces are in `nas_ray.searchers` and `nas_ray.spaces`, and
contract tests for plug-ins in `nas_ray.testing`.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from nas_ray.plugins import imported_when_used

if TYPE_CHECKING:
    from nas_ray import searchers, spaces, testing
    from nas_ray.benchmarks import Benchmark, open_benchmark
    from nas_ray.drivers.plan import Budget, Listeners, Plan
    from nas_ray.drivers.simulation import simulate
    from nas_ray.drivers.tune_search import tune_search
    from nas_ray.drivers.tune_searcher import TuneSearcher
    from nas_ray.errors import UsageError
    from nas_ray.evaluation.proxy_scores import Evaluator, Lookup, ProxyScores
    from nas_ray.images.image_data import ImageDataModule
    from nas_ray.images.sources import open_images
    from nas_ray.proxies.plugin import resolve_proxies
    from nas_ray.rows import Row
    from nas_ray.search.base import Experiment
    from nas_ray.search.run_experiment import run_experiment
    from nas_ray.searchers import (
        ArchSearcher,
        Fitness,
        parse_fitness,
    )
    from nas_ray.spaces import SearchSpace
    from nas_ray.spaces.named import open_space
    from nas_ray.training.trained import load

__version__ = "0.1.0"

_HOME = {
    "ArchSearcher": "searchers",
    "Benchmark": "benchmarks",
    "Budget": "drivers.plan",
    "Evaluator": "evaluation.proxy_scores",
    "Experiment": "search.base",
    "Fitness": "searchers",
    "ImageDataModule": "images.image_data",
    "Listeners": "drivers.plan",
    "Lookup": "evaluation.proxy_scores",
    "Plan": "drivers.plan",
    "ProxyScores": "evaluation.proxy_scores",
    "Row": "rows",
    "SearchSpace": "spaces",
    "TuneSearcher": "drivers.tune_searcher",
    "UsageError": "errors",
    "load": "training.trained",
    "open_benchmark": "benchmarks",
    "open_images": "images.sources",
    "open_space": "spaces.named",
    "parse_fitness": "searchers",
    "resolve_proxies": "proxies.plugin",
    "run_experiment": "search.run_experiment",
    "simulate": "drivers.simulation",
    "tune_search": "drivers.tune_search",
}
_OLD = {
    "NatsTss": "spaces",
    "RandomSearch": "searchers",
    "RegularizedEvolution": "searchers",
    "SkipRea": "searchers",
}
"""Names that have moved, and where to."""

_ROOMS = ("searchers", "spaces", "testing")

__all__ = [
    "ArchSearcher",
    "Benchmark",
    "Budget",
    "Evaluator",
    "Experiment",
    "Fitness",
    "ImageDataModule",
    "Listeners",
    "Lookup",
    "Plan",
    "ProxyScores",
    "Row",
    "SearchSpace",
    "TuneSearcher",
    "UsageError",
    "load",
    "open_benchmark",
    "open_images",
    "open_space",
    "parse_fitness",
    "resolve_proxies",
    "run_experiment",
    "searchers",
    "simulate",
    "spaces",
    "testing",
    "tune_search",
]

_named = imported_when_used(__name__, {**_HOME, **_OLD})


def __getattr__(name: str) -> Any:
    """Returns a public name from the module that defines it."""
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _OLD:
        place = f"nas_ray.{_OLD[name]}.{name}"
        warnings.warn(f"nas_ray.{name} has moved; write {place}.", DeprecationWarning, stacklevel=2)
    return _named(name)
