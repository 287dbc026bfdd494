"""Evaluation by looking up what a benchmark knows."""

from __future__ import annotations

from collections.abc import Callable

from nas_ray.benchmarks.base import Benchmark
from nas_ray.rows import Row
from nas_ray.spaces.settings import arch_of


class Lookup:
    """Reads `valid_acc` and the seconds it would have cost from a benchmark: a search without training.

    Args:
        benchmark: where to look.
        epochs: length of the training schedule, such as 12 or 200.
    """

    def __init__(self, benchmark: Benchmark, epochs: int) -> None:
        self.benchmark = benchmark
        self.epochs = epochs

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        """Reports one row: `valid_acc` in percent and tabulated `seconds`."""
        evaluation = self.benchmark.query(arch_of(arch), self.epochs)
        report({"valid_acc": evaluation.valid_acc, "seconds": evaluation.seconds, "error": None})
