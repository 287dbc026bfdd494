"""Accuracy beside the rows of any table."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray import add_accuracy, open_benchmark
from nas_ray.benchmarks import NB201Benchmark
from nas_ray.errors import UsageError
from nas_ray.spaces import NatsTss

ARCHS = NatsTss().archs


@pytest.fixture(scope="module")
def nb201() -> NB201Benchmark:
    return NB201Benchmark("cifar10")


def test_a_table_of_tune_gets_accuracy_and_rank(nb201: NB201Benchmark) -> None:
    every = nb201.all_test_acc()
    best = int(np.argmax(every))
    table = pd.DataFrame({"config/arch": [ARCHS[best], ARCHS[7], "no arch"], "x": [1, 2, 3]}, index=[5, 3, 4])
    before = table.copy()
    joined = add_accuracy(table, nb201)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(joined[["config/arch", "x"]], before)
    assert joined["benchmark_valid_acc"].tolist()[:2] == [every[best], every[7]]
    assert joined["benchmark_rank"].tolist()[:2] == [1, 1 + int((every > every[7] + 1e-9).sum())]
    assert joined.loc[4, ["benchmark_valid_acc", "benchmark_rank", "acc_source"]].isna().all()
    assert joined["acc_source"].iloc[0] == nb201.acc_source
    assert "benchmark_test_acc" not in joined
    assert add_accuracy(joined, "nb201").equals(joined)


def test_rows_of_ours_points_and_found_archs(nb201: NB201Benchmark) -> None:
    rows = pd.DataFrame(
        {
            "arch": [f"{ARCHS[1]}@lr=0.1", "darts,seed=1", None, ARCHS[4]],
            "found": [None, ARCHS[2], None, None],
            "config/arch": ["x", "x", ARCHS[3], "x"],
        }
    )
    expected = [nb201.test_acc(ARCHS[number]) for number in (1, 2, 3, 4)]
    assert add_accuracy(rows, nb201)["benchmark_valid_acc"].tolist() == expected
    named = add_accuracy(pd.DataFrame({"net": [ARCHS[1]]}), nb201, column="net")
    assert named["benchmark_valid_acc"].tolist() == expected[:1]


def test_another_schedule_or_dataset_is_not_passed_over(nb201: NB201Benchmark) -> None:
    table = pd.DataFrame({"arch": ARCHS[:2], "benchmark_test_acc": [1.0, 2.0]})
    assert "benchmark_test_acc" not in add_accuracy(table, nb201, epochs=200)
    with pytest.raises(UsageError, match="holds the 200-epoch schedule only, got epochs=3"):
        add_accuracy(table, nb201, epochs=3)
    with pytest.raises(UsageError, match="open for another dataset than 'cifar100'"):
        add_accuracy(table, nb201, dataset="cifar100")


@pytest.mark.data
def test_a_benchmark_with_test_images_gives_both(data_dir: Path) -> None:
    path = str(data_dir / "nats_tss.csv.gz")
    benchmark = open_benchmark(path, "cifar100")
    assert benchmark is not None
    joined = add_accuracy(pd.DataFrame({"arch": ARCHS[:3]}), path, dataset="cifar100")
    for place, arch in enumerate(ARCHS[:3]):
        assert joined["benchmark_test_acc"][place] == benchmark.test_acc(arch)
        assert joined["benchmark_valid_acc"][place] == benchmark.query(arch, 200).valid_acc
    short = add_accuracy(pd.DataFrame({"arch": ARCHS[:1]}), benchmark, epochs=12)
    assert short["benchmark_valid_acc"][0] == benchmark.query(ARCHS[0], 12).valid_acc
    with pytest.raises(UsageError, match="epochs=7"):
        add_accuracy(pd.DataFrame({"arch": ARCHS[:1]}), benchmark, epochs=7)


def test_what_cannot_be_joined_is_told(nb201: NB201Benchmark) -> None:
    def said(table: object, benchmark: object = nb201, **options: object) -> str:
        with pytest.raises(UsageError) as caught:
            add_accuracy(table, benchmark, **options)  # type: ignore[arg-type]
        return str(caught.value)

    archs = pd.DataFrame({"arch": [ARCHS[0]]})
    assert said([1]).startswith("Accuracy is added to a pandas.DataFrame, got list; give results.get_data")
    assert said(pd.DataFrame({"x": [1]})) == (
        "The table must have archs in a column arch or config/arch, and has x; name theirs as column=."
    )
    assert said(archs, column="net").startswith("The table must have archs in a column net, and has arch;")
    assert said(archs, "none").startswith("A benchmark is needed that is open, or the name or path of one, s")
    assert said(archs, 3).endswith("such as 'nb201', got 3.")
    assert "has none of its 1, such as a; give the benchmark" in said(pd.DataFrame({"arch": ["a"]}))
    assert "has none of its 0; give the benchmark" in said(pd.DataFrame({"arch": [math.nan]}))
