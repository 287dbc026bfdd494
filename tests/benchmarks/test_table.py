from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks import open_benchmark
from nas_ray.benchmarks.table import TableBenchmark
from nas_ray.benchmarks.table_files import write_table
from nas_ray.errors import UsageError
from nas_ray.spaces import NatsTss


class Five:
    """A space of five archs."""

    def sample(self, rng):
        return str(rng.integers(5))

    def neighbors(self, arch):
        return [other for other in self if other != arch]

    def build(self, arch, num_classes):
        raise NotImplementedError

    def __len__(self):
        return 5

    def __iter__(self):
        return iter("abcde")

    def __contains__(self, arch):
        return arch in tuple(self)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arch": list("edcba"),
            "cifar10_test_acc_200": [5.0, 4.0, 3.0, 2.0, 1.0],
            "cifar10_valid_acc_200": [50.0, 40.0, 30.0, 20.0, 10.0],
            "cifar10_valid_acc_12": [15.0, 14.0, 13.0, 12.0, 11.0],
            "cifar10_train_seconds_per_epoch": [2.0, 2.0, 2.0, 2.0, 7.0],
            "cifar10_valid_seconds": [0.5] * 5,
        }
    )


def table(frame: pd.DataFrame, folder: Path, name: str = "t.csv") -> TableBenchmark:
    write_table(frame, folder / name)
    return TableBenchmark(folder / name, "cifar10", space=Five())


def message(action, *args, **options) -> str:
    with pytest.raises(UsageError) as error:
        action(*args, **options)
    return str(error.value)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "T.CSV"])
def test_every_format_gives_the_same_answers(frame, name, tmp_path):
    benchmark = table(frame, tmp_path, name)
    assert benchmark.archs == tuple("abcde")  # the order of the space, not of the file
    np.testing.assert_array_equal(benchmark.all_test_acc(), [1, 2, 3, 4, 5])
    evaluation = benchmark.query("a", 12)
    assert (evaluation.valid_acc, evaluation.seconds) == (11.0, 12 * 7.0 + 0.5)
    assert benchmark.query("e", 200).seconds == 400.5
    assert evaluation.split == (
        f"table {name}, cifar10 validation split x-valid, 12 epochs, the seed or mean of seeds that the "
        "table took"
    )
    assert benchmark.acc_source == (
        f"table {name}, cifar10 test split ori-test (net trained on 50,000 images), 200 epochs, mean over "
        "seeds"
    )


def test_only_arch_and_test_accuracy_are_required(frame, tmp_path):
    benchmark = table(frame[["arch", "cifar10_test_acc_200"]], tmp_path)
    assert benchmark.test_acc("c") == 3
    assert message(benchmark.query, "c", 12) == (
        f"The table {tmp_path}/t.csv must have the column 'cifar10_valid_acc_12' for this, and has arch, "
        "cifar10_test_acc_200; add the column or take another table."
    )
    assert message(table, frame.drop(columns="cifar10_test_acc_200"), tmp_path) == (
        f"The table {tmp_path}/t.csv must have the column 'cifar10_test_acc_200' for this, and has arch, "
        "cifar10_valid_acc_200, cifar10_valid_acc_12, cifar10_train_seconds_per_epoch, "
        "cifar10_valid_seconds; add the column or take another table."
    )


def test_archs_must_be_those_of_the_space(frame, tmp_path):
    assert message(table, frame.iloc[1:4], tmp_path) == (
        f"The table {tmp_path}/t.csv must hold all 5 archs of its space, and a is missing (2 are); complete "
        "the table."
    )
    assert message(table, pd.concat([frame, frame.iloc[:1]]), tmp_path) == (
        f"The table {tmp_path}/t.csv must hold each arch once, got e 2 times; remove the repeated rows."
    )
    assert message(table, frame.replace("c", "zz"), tmp_path) == (
        f"The table {tmp_path}/t.csv must hold archs of its space only, got 'zz'; an arch there reads a."
    )
    assert message(table, frame.iloc[:0], tmp_path) == (
        f"The table {tmp_path}/t.csv must hold all 5 archs of its space, and a is missing (5 are); complete "
        "the table."
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 100.5, "high"])
def test_accuracies_must_be_percentages(frame, value, tmp_path):
    frame["cifar10_test_acc_200"] = frame["cifar10_test_acc_200"].astype(object)
    frame.loc[2, "cifar10_test_acc_200"] = value
    assert message(table, frame, tmp_path) == (
        f"The column 'cifar10_test_acc_200' of the table {tmp_path}/t.csv must hold percentages from 0 to "
        f"100, got {value!r} for c in line 4; correct the value."
    )


def test_archs_that_are_lists_are_refused_before_they_are_counted(frame, tmp_path):
    frame["arch"] = [[arch, "x" * 80] for arch in frame["arch"]]
    text = message(table, frame, tmp_path, "t.parquet")
    assert text.startswith(
        f"The table {tmp_path}/t.parquet must hold archs of its space only, got array(['e',"
    )
    assert text.endswith("; an arch there reads a.")
    assert "\n" not in text


@pytest.mark.parametrize("column", ["cifar10_test_acc_200", "cifar10_valid_acc_12"])
def test_fractions_are_refused(frame, column, tmp_path):
    frame[column] /= 100
    assert message(table, frame, tmp_path) == (
        f"The column {column!r} of the table {tmp_path}/t.csv must hold percentages from 0 to 100, and no "
        f"value is above {frame[column].max():g}, as in fractions from 0 to 1; multiply it by 100."
    )


def test_a_fifo_is_no_table(tmp_path):
    path = tmp_path / "t.csv"
    os.mkfifo(path)  # to open it would block for ever
    assert message(TableBenchmark, path, "cifar10") == (
        f"The table must be a regular file, got {path}, which is none; check the path."
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1])
def test_seconds_must_be_finite(frame, value, tmp_path):
    frame.loc[0, "cifar10_valid_seconds"] = value
    assert message(table, frame, tmp_path) == (
        f"The column 'cifar10_valid_seconds' of the table {tmp_path}/t.csv must hold finite seconds from 0, "
        f"got {value} for e in line 2; correct the value."
    )


def test_a_table_has_no_seeds(frame, tmp_path):
    assert message(table(frame, tmp_path).query, "a", 200, seed=777) == (
        "A table holds no single training seeds, got seed=777; leave the seed out."
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b""),
        ("t.csv", b"\x80\x04\xff\x00"),
        ("t.csv.gz", b"arch,cifar10_test_acc_200\n"),
        ("t.parquet", b"PAR1"),
    ],
)
def test_unreadable_files_are_one_sentence(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    text = message(TableBenchmark, path, "cifar10")
    assert text.startswith(f"The table must be a readable {name[1:]} file, got {path} (")
    assert text.endswith("); check the path or write the table again.")
    assert "\n" not in text


def test_truncated_tables_are_refused(frame, tmp_path):
    for name in ("t.csv.gz", "t.parquet"):
        table(frame, tmp_path, name)
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-20])
        assert message(TableBenchmark, path, "cifar10").startswith("The table must be a readable ")


def test_other_endings_are_refused(tmp_path):
    assert message(TableBenchmark, tmp_path / "NATS.tar", "cifar10") == (
        f"A table file must end in .csv, .csv.gz or .parquet, got {tmp_path}/NATS.tar; the official "
        "NATS-Bench files are named by their unpacked directory."
    )


def test_a_table_is_written_whole_or_not_at_all(frame, tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    write_table(frame, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()
    before = path.read_bytes()

    def stop(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_table(frame.iloc[:1], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    refused = message(write_table, frame, tmp_path / "none" / "t.csv")
    assert refused.startswith("The table must have a writable place, got ")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.data
@pytest.mark.parametrize(
    ("dataset", "test", "valid"),
    [
        ("cifar10", (94.3733, 6111), (91.6067, 6111)),
        ("cifar100", (73.5133, 9930), (73.4933, 9930)),
        ("ImageNet16-120", (47.3111, 857), (46.7333, 10676)),
    ],
)
def test_best_archs_are_the_published_ones(dataset, test, valid, data_dir):
    benchmark = TableBenchmark(data_dir / "nats_tss.csv.gz", dataset)
    assert benchmark.archs == NatsTss().archs
    accs = benchmark.all_test_acc()
    assert (accs.max(), accs.argmax()) == test
    valid_accs = np.array([benchmark.query(arch, 200).valid_acc for arch in benchmark.archs])
    assert (valid_accs.max(), valid_accs.argmax()) == valid


def test_no_benchmark_is_found_for_a_space_that_none_knows() -> None:
    class Half(Five):
        def __iter__(self):
            return iter(NatsTss().archs[:5])

    assert open_benchmark("auto", "cifar10", Five()) is None
    assert open_benchmark("auto", "cifar10", Half()) is not None
