"""Benchmarks: look-up of trained accuracy, by name or by path.

The names below are imported when they are first used, so that a name can be refused at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_ray.plugins import imported_when_used

if TYPE_CHECKING:
    from nas_ray.benchmarks.base import Benchmark, Evaluation
    from nas_ray.benchmarks.nats import NatsBenchmark
    from nas_ray.benchmarks.nb201 import NB201Benchmark
    from nas_ray.benchmarks.opening import BENCHMARKS, explain_auto, open_benchmark
    from nas_ray.benchmarks.table import TableBenchmark

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "Evaluation",
    "NB201Benchmark",
    "NatsBenchmark",
    "TableBenchmark",
    "explain_auto",
    "open_benchmark",
]

__getattr__ = imported_when_used(
    __name__,
    {
        "BENCHMARKS": "opening",
        "Benchmark": "base",
        "Evaluation": "base",
        "NB201Benchmark": "nb201",
        "NatsBenchmark": "nats",
        "TableBenchmark": "table",
        "explain_auto": "opening",
        "open_benchmark": "opening",
    },
)
