from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks import (
    BENCHMARKS,
    Benchmark,
    NatsBenchmark,
    NB201Benchmark,
    TableBenchmark,
    open_benchmark,
)
from nas_ray.benchmarks.nats import FOLDER
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.spaces import NatsTss
from nas_ray.testing import BenchmarkContract

CASES = [
    pytest.param((name, dataset), marks=[pytest.mark.data] if name == "nats" else [], id=f"{name}-{dataset}")
    for name, dataset in itertools.product(("nb201", "table", "nats"), DATASETS)
]


@pytest.fixture(scope="module", params=CASES)
def benchmark(request, tmp_path_factory) -> Benchmark:
    name, dataset = request.param
    if name == "nb201":
        return NB201Benchmark(dataset)
    if name == "nats":
        folder = request.getfixturevalue("data_dir") / "nats_official_sample" / FOLDER
        return NatsBenchmark(folder, dataset, allow_missing=True)
    path = tmp_path_factory.mktemp("table") / "table.csv"
    archs = NatsTss().archs
    ramp = np.linspace(10, 90, len(archs))
    columns = ("test_acc_200", "valid_acc_200", "valid_acc_12", "train_seconds_per_epoch", "valid_seconds")
    frame = pd.DataFrame({f"{dataset}_{column}": ramp + i for i, column in enumerate(columns)})
    frame.assign(arch=archs).sample(frac=1, random_state=0).to_csv(path, index=False)
    return TableBenchmark(path, dataset)


@pytest.fixture
def epochs() -> int:
    return 200


class TestEveryBenchmark(BenchmarkContract):
    pass


def test_archs_are_members_in_published_order(benchmark):
    space = NatsTss()
    index = [space.index(arch) for arch in benchmark.archs]
    assert index == sorted(set(index))
    assert len(index) > 0


def test_an_unknown_schedule_or_seed_is_an_error_that_repeats_it(benchmark):
    with pytest.raises(UsageError, match=r"got epochs=77;"):
        benchmark.query(benchmark.archs[0], 77)
    with pytest.raises(UsageError, match=r"got (seed=)?-5[;.]"):
        benchmark.query(benchmark.archs[0], 200, seed=-5)


@pytest.mark.parametrize(
    "arch", [0, 1.5, None, True, b"a", ["a"], {"a": 1}, np.array([1, 2]), np.int64(3)], ids=repr
)
def test_an_arch_that_is_no_text_is_an_error_that_repeats_it(benchmark, arch):
    got = " ".join(repr(arch).split())
    for look_up in (lambda: benchmark.query(arch, 200), lambda: benchmark.test_acc(arch)):
        with pytest.raises(UsageError) as error:
            look_up()
        assert str(error.value) == (
            f"An arch must be a string, one of the benchmark's archs, got {got}; give the string."
        )


@pytest.mark.parametrize(
    "epochs", ["200", None, 200.5, -200, 0, [200], np.array([12, 200]), {200}, float("nan")]
)
def test_epochs_that_are_no_schedule_are_an_error_that_repeats_them(benchmark, epochs):
    with pytest.raises(UsageError) as error:
        benchmark.query(benchmark.archs[0], epochs)
    assert f"got epochs={epochs!r}; ask for " in str(error.value)


@pytest.mark.parametrize("seed", ["777", 0.5, [777], (0,), np.array([777, 888]), 10**6, float("nan")])
def test_a_seed_that_is_none_is_an_error_that_repeats_it(benchmark, seed):
    with pytest.raises(UsageError) as error:
        benchmark.query(benchmark.archs[0], 200, seed=seed)
    assert f"{seed!r}" in str(error.value)


def test_numbers_of_numpy_are_numbers(benchmark):
    arch = benchmark.archs[0]
    assert benchmark.query(arch, np.int64(200)) == benchmark.query(arch, 200)


@pytest.mark.parametrize("dataset", DATASETS)
def test_names_open_a_benchmark_of_the_dataset(dataset, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # no official files there
    opened = {name: open_benchmark(name, dataset) for name in BENCHMARKS if name != "nats"}
    assert opened.pop("none") is None
    assert {(b.name, b.dataset) for b in opened.values()} == {("nb201", dataset)}
