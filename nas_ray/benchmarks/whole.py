"""Benchmarks as a whole: the accuracy of all archs, and all datasets that one knows."""

from __future__ import annotations

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS


def benchmark_accuracy(benchmark: Benchmark) -> dict[str, float]:
    """Returns the accuracy of every arch in percent.

    Raises:
        UsageError: the benchmark cannot be read as a whole.
    """
    everything = benchmark.all_test_acc()
    if everything is None:
        raise UsageError(
            "Correlations need the accuracy of many archs at once: export the official directory with "
            "nas-ray export-nats and give that table as --benchmark."
        )
    return dict(zip(benchmark.archs, everything.tolist(), strict=True))


def known_benchmarks(spec: str) -> dict[str, Benchmark]:
    """Returns the benchmark of each dataset that `spec` knows."""
    opened = {dataset: open_benchmark(spec, dataset) for dataset in DATASETS}
    return {dataset: benchmark for dataset, benchmark in opened.items() if benchmark is not None}
