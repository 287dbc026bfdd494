"""Rows of a search and a benchmark, small enough to work out by hand."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from nas_ray.benchmarks.base import Benchmark
from nas_ray.errors import UsageError

ARCHS = (
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|",
    "|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
)


class Toy:
    """Four archs, two of them equally good."""

    name, dataset, acc_column, acc_source = "toy", "cifar10", "test_acc", "toy table, test split"
    archs = ARCHS
    accuracies = (90.0, 94.0, 94.0, 10.0)

    def __init__(self, listed: bool = True) -> None:
        self.listed = listed
        self.asked: list[str] = []

    def test_acc(self, arch: str) -> float:
        self.asked.append(arch)
        if arch not in self.archs:
            raise UsageError(f"unknown arch {arch}")
        return self.accuracies[self.archs.index(arch)]

    def all_test_acc(self) -> np.ndarray | None:
        return np.array(self.accuracies) if self.listed else None


def toy(listed: bool = True) -> Benchmark:
    return cast(Benchmark, Toy(listed))


def make_rows(x: list[float], archs: tuple[str, ...] = ARCHS, **columns: Any) -> pd.DataFrame:
    """Returns one row per value of the score `x`, which is the fitness too; every 4 s one arrives."""
    values = np.array(x, dtype=float)
    table: dict[str, Any] = {
        "trial": range(len(x)),
        "arch": archs[: len(x)],
        "x": values,
        "fitness": np.where(np.isfinite(values), values, -np.inf),
        "seconds": 2.0,
        "finished_at": np.arange(1, len(x) + 1) * 4.0,
        "worker": "w0",
        "reused": False,
        "error": None,
    }
    return pd.DataFrame({**table, **columns})
