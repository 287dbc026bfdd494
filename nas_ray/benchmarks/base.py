"""The benchmark interface: look-up of trained accuracy for one dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Protocol, runtime_checkable

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.settings import arch_of


@dataclass(frozen=True)
class Evaluation:
    """What a searcher may learn from a benchmark about one arch.

    Attributes:
        valid_acc: accuracy in percent, 0-100, on the split named by `split`.
        seconds: tabulated seconds that this evaluation would have cost (training and validation).
        epochs: length of the training schedule.
        split: which split, schedule and seeds `valid_acc` comes from.
    """

    valid_acc: float
    seconds: float
    epochs: int
    split: str


BENCHMARK_PREFIX = "benchmark_"


@runtime_checkable
class Benchmark(Protocol):
    """Trained accuracy of every arch on one dataset.

    Attributes:
        name: `nb201`, `nats` or `table`.
        dataset: the dataset's published name.
        acc_column: the honest column name of what `test_acc` returns: `test_acc`, or `valid_acc`
            where the source holds no test split.
        acc_source: one phrase for tables and figures: benchmark, split, schedule and seeds of that accuracy.
    """

    name: str
    dataset: str
    acc_column: str
    acc_source: str

    @property
    def archs(self) -> Sequence[str]:
        """The archs that can be looked up."""

    def query(self, arch: str, epochs: int, seed: int | None = None) -> Evaluation:
        """Returns what a searcher may see of `arch` after a schedule of `epochs` epochs.

        Args:
            arch: canonical string.
            epochs: a schedule that the source holds.
            seed: one training seed; the mean over seeds if None.

        Raises:
            UsageError: unknown arch, schedule or seed.
        """

    def test_acc(self, arch: str) -> float:
        """Returns the final accuracy of `arch` in percent; for reports, never for searchers.

        Raises:
            UsageError: unknown arch.
        """

    def all_test_acc(self) -> np.ndarray | None:
        """Returns `[len(archs)]` accuracies in the order of `archs`; None if that needs a file per arch."""


def accuracy_column(benchmark: Benchmark, scores: Iterable[str] = ()) -> str:
    """Returns the column of the benchmark's accuracy beside `scores`, which may be called so too."""
    own = benchmark.acc_column in scores
    return f"{BENCHMARK_PREFIX}{benchmark.acc_column}" if own else benchmark.acc_column


def check_arch(arch: object) -> None:
    """Checks that `arch` is text, before it is looked up.

    Raises:
        UsageError: it is no text, as an index is.
    """
    if not isinstance(arch, str):
        got = " ".join(repr(arch).split())[:80]
        raise UsageError(
            f"An arch must be a string, one of the benchmark's archs, got {got}; give the string."
        )


def known_number(value: object, known: Iterable[int]) -> bool:
    """Returns whether `value` is one of the numbers `known`, whatever it is."""
    return isinstance(value, Real) and value in list(known)


def known_accuracy(benchmark: Benchmark, arch: str) -> float:
    """Returns `benchmark.test_acc` of an arch or of that of a point, in percent; NaN where there is none."""
    try:
        return float(benchmark.test_acc(arch_of(arch)))
    except UsageError:
        return float("nan")


def rank_among(everything: np.ndarray | None, accuracy: float | None) -> int | None:
    """Returns the rank of an accuracy among all `[archs]` of a benchmark, 1 for the best; None if unknown.

    Of equal archs each has the best rank. An accuracy may be rounded differently when it is looked up alone.
    """
    if everything is None or accuracy is None or not np.isfinite(accuracy):
        return None
    return 1 + int((everything[np.isfinite(everything)] > accuracy + 1e-9).sum())
