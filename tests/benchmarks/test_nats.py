from __future__ import annotations

import bz2
import gc
import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nats_bench import ArchResults

from nas_ray.benchmarks import open_benchmark
from nas_ray.benchmarks.nats import FOLDER, FOLDERS, NatsBenchmark, default_directory
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.safe_files.pickles import safe_load
from nas_ray.spaces import NatsSss, NatsTss

SAMPLE = (0, 11, 284)
ARCHS = NatsTss().archs


def write(path: Path, content: object) -> Path:
    path.write_bytes(bz2.compress(pickle.dumps(content, protocol=4)))
    return path


@pytest.fixture
def directory(tmp_path) -> Path:
    """An official directory with a meta file and no archive yet."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    write(folder / "meta.pickle.pbz2", {"meta_archs": list(ARCHS), "total_archs": len(ARCHS)})
    return folder


def sample(data_dir: Path) -> Path:
    return data_dir / "nats_official_sample" / FOLDER


def message(action, *args, **options) -> str:
    with pytest.raises(UsageError) as error:
        action(*args, **options)
    return str(error.value)


@pytest.mark.data
@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("index", SAMPLE)
def test_known_archs_have_the_published_numbers(index, dataset, data_dir):
    benchmark = NatsBenchmark(sample(data_dir), dataset, allow_missing=True)
    row = pd.read_csv(data_dir / "nats_tss.csv.gz").loc[index]
    arch = row["arch"]
    assert benchmark.test_acc(arch) == pytest.approx(row[f"{dataset}_test_acc_200"], abs=6e-5)
    train, valid = row[f"{dataset}_train_seconds_per_epoch"], row[f"{dataset}_valid_seconds"]
    for epochs in (12, 200):
        evaluation = benchmark.query(arch, epochs)
        assert evaluation.epochs == epochs
        assert evaluation.seconds == pytest.approx(epochs * train + valid, abs=epochs * 6e-5)
    assert benchmark.query(arch, 200).valid_acc == pytest.approx(row[f"{dataset}_valid_acc_200"], abs=6e-5)
    seeds = (111, 777) if dataset == "cifar10" else (111,)  # the table took one of them
    short = [benchmark.query(arch, 12, seed=seed).valid_acc for seed in seeds]
    assert any(acc == pytest.approx(row[f"{dataset}_valid_acc_12"], abs=6e-5) for acc in short)
    assert benchmark.query(arch, 12).valid_acc == pytest.approx(sum(short) / len(short))


@pytest.mark.data
def test_splits_are_said_in_whole(data_dir):
    benchmark = NatsBenchmark(sample(data_dir), "cifar10", allow_missing=True)
    prefix = (
        "NATS-Bench official files, cifar10 validation split x-valid (net trained on 25,000 images), 12 "
        "epochs"
    )
    assert benchmark.query(ARCHS[0], 12).split == f"{prefix}, mean of seeds 111, 777"
    assert benchmark.query(ARCHS[0], 12, seed=777).split == f"{prefix}, seed 777"
    assert benchmark.acc_source == (
        "NATS-Bench official files, cifar10 test split ori-test (net trained on 50,000 images), 200 epochs, "
        "mean over all published seeds"
    )
    assert message(benchmark.query, ARCHS[0], 200, seed=111) == (
        f"The 200-epoch schedule of {ARCHS[0]} on cifar10 has the seeds 777, 888, 999, got seed=111; ask for "
        "one of them or for None, their mean."
    )


@pytest.mark.data
def test_memory_stays_flat(data_dir):
    benchmark = NatsBenchmark(sample(data_dir), "cifar10", allow_missing=True)

    def look_up_all() -> int:
        for arch in benchmark.archs:
            benchmark.query(arch, 12)
            benchmark.test_acc(arch)
        return tracemalloc.get_traced_memory()[0]

    look_up_all()
    gc.collect()
    gc.disable()  # an archive must go at once, not when the collector finds a cycle around it
    tracemalloc.start()
    try:
        first = look_up_all()
        last = [look_up_all() for _ in range(2)][-1]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert last - first < 50_000  # one archive takes several hundred kilobytes


@pytest.mark.data
@pytest.mark.parametrize("index", [0, 11, 284])
def test_the_size_space_has_other_schedules(data_dir, index):
    folder = data_dir / "nats_official_sample" / FOLDERS[NatsSss]
    content = safe_load(folder / f"{index:06d}.pickle.pbz2", what="archive", compressed=True)
    arch = NatsSss()[index]
    for dataset, run, split in (("cifar10", "cifar10-valid", "ori-test"), ("cifar100", "cifar100", "x-test")):
        benchmark = NatsBenchmark(folder, dataset, allow_missing=True)
        long = ArchResults.create_from_state_dict(dict(content["90"]))
        assert benchmark.test_acc(arch) == long.get_metrics(dataset, split)["accuracy"]
        for epochs, key in ((1, "01"), (12, "12"), (90, "90")):
            results = ArchResults.create_from_state_dict(dict(content[key]))
            found = benchmark.query(arch, epochs)
            assert found.valid_acc == results.get_metrics(run, "x-valid", is_random=False)["accuracy"]
            costs = results.get_compute_costs(run)
            charged = epochs * costs["T-train@epoch"] + costs["T-x-valid@epoch"]
            assert found.seconds == pytest.approx(charged)
        assert message(benchmark.query, arch, 200) == (
            "NATS-Bench holds schedules of 1 and 12 and 90 epochs, got epochs=200; ask for one of them."
        )


@pytest.mark.data
def test_a_directory_of_the_other_space_is_refused(data_dir, monkeypatch):
    folder = data_dir / "nats_official_sample" / FOLDERS[NatsSss]
    monkeypatch.setattr(NatsBenchmark.__init__, "__kwdefaults__", {"allow_missing": True})
    assert message(open_benchmark, str(folder), "cifar10") == (
        f"The directory {folder} holds nats-sss, but nats-tss is searched; give --space nats-sss, or another "
        "--benchmark."
    )
    opened = open_benchmark(str(folder), "cifar10", NatsSss())
    assert opened is not None
    assert opened.archs == tuple(NatsSss()[index] for index in (0, 11, 284))


def test_no_package_holds_the_size_space(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert open_benchmark("auto", "cifar10", NatsSss()) is None
    assert open_benchmark("none", "cifar10", NatsSss()) is None
    assert message(open_benchmark, "nb201", "cifar10", NatsSss()).startswith(
        "The benchmark nb201 holds nats-tss"
    )
    assert message(open_benchmark, "nats", "cifar10", NatsSss()).startswith(
        "The official NATS-Bench files must"
    )


@pytest.mark.data
def test_a_truncated_archive_and_one_of_another_arch_are_refused(directory, data_dir):
    whole = (sample(data_dir) / "000011.pickle.pbz2").read_bytes()
    path = directory / "000000.pickle.pbz2"
    path.write_bytes(whole[: len(whole) // 2])
    benchmark = NatsBenchmark(directory, "cifar10", allow_missing=True)
    assert message(benchmark.query, ARCHS[0], 12) == (
        f"The NATS-Bench archive must be a bz2-compressed pickle of plain data, got {path}: it is truncated; "
        "get it again from its publisher."
    )
    path.write_bytes(whole)
    assert message(benchmark.query, ARCHS[0], 12) == (
        f"The NATS-Bench archive {path} must hold the arch {ARCHS[0]}, got {ARCHS[11]}; unpack {FOLDER} "
        "again."
    )


def test_a_directory_with_missing_archives_is_counted(directory):
    for index in (3, 7):
        write(directory / f"{index:06d}.pickle.pbz2", {})
    (directory / "999999.pickle.pbz2").touch()
    assert message(NatsBenchmark, directory, "cifar10") == (
        f"The directory must hold the archives of all 15625 archs, got {directory}, where 15623 are missing; "
        f"unpack {FOLDER} completely, or pass allow_missing=True from Python."
    )
    assert NatsBenchmark(directory, "cifar10", allow_missing=True).archs == (ARCHS[3], ARCHS[7])


def test_an_archive_of_something_else_is_refused(directory):
    path = write(directory / "000000.pickle.pbz2", {"200": {}})
    benchmark = NatsBenchmark(directory, "cifar10", allow_missing=True)
    assert message(benchmark.test_acc, ARCHS[0]) == (
        f"The NATS-Bench archive must hold the results of one arch for every schedule, and {path} does not "
        f"(KeyError('12')); unpack {FOLDER} again."
    )


class Evil:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_an_archive_with_code_is_refused_and_not_run(directory, monkeypatch):
    monkeypatch.chdir(directory)
    path = write(directory / "000000.pickle.pbz2", {"12": {}, "200": {"all_results": Evil()}})
    benchmark = NatsBenchmark(directory, "cifar10", allow_missing=True)
    assert message(benchmark.query, ARCHS[0], 200) == (
        f"The NATS-Bench archive must be a bz2-compressed pickle of plain data, got {path}: it names the "
        "global posix.mkdir, which is not plain data; get it again from its publisher."
    )
    assert not (directory / "ran").exists()


def test_an_archive_that_names_a_file_for_nats_bench_is_refused(directory, monkeypatch):
    # ArchResults.create_from_state_dict would take text for the path of a pickle, and load it unrestricted.
    monkeypatch.chdir(directory)
    evil = str(write(directory / "evil.pbz2", Evil()))
    path = write(directory / "000000.pickle.pbz2", {"12": evil, "200": evil})
    benchmark = NatsBenchmark(directory, "cifar10", allow_missing=True)
    text = message(benchmark.query, ARCHS[0], 200)
    assert text.startswith(
        "The NATS-Bench archive must hold the results of one arch for every schedule, and "
    )
    assert f"{path} does not (ValueError(" in text
    assert not (directory / "ran").exists()


def test_a_wrong_meta_file_is_refused(directory):
    write(directory / "meta.pickle.pbz2", {"meta_archs": [*ARCHS[1:], ARCHS[0]]})
    assert message(NatsBenchmark, directory, "cifar10") == (
        "The meta file must list the 15625 archs of NATS-TSS in their published order, and "
        f"that in {directory} does not; unpack {FOLDER} again."
    )
    (directory / "meta.pickle.pbz2").unlink()
    assert message(NatsBenchmark, directory, "cifar10") == (
        "The NATS-Bench meta file must be a bz2-compressed pickle of plain data, got "
        f"{directory}/meta.pickle.pbz2: it cannot be read (No such file or directory); get it again from its "
        "publisher."
    )


@pytest.mark.parametrize(
    "listed",
    [None, 5, np.float64(4), np.zeros((3, 2)), [np.zeros(3)] * len(ARCHS), "abc", {"a": 1}],
    ids=["None", "int", "float64", "2d", "arrays", "text", "dict"],
)
def test_a_meta_file_of_something_else_is_refused(directory, listed):
    write(directory / "meta.pickle.pbz2", {"meta_archs": listed})
    assert message(NatsBenchmark, directory, "cifar10") == (
        "The meta file must list the 15625 archs of NATS-TSS in their published order, and "
        f"that in {directory} does not; unpack {FOLDER} again."
    )


@pytest.mark.parametrize("given", ["downloads", "downloads/nats"])
def test_a_directory_above_names_the_one_below(directory, given, tmp_path):
    given = tmp_path / given
    (tmp_path / "downloads" / "nats").mkdir(parents=True)
    directory = directory.rename(tmp_path / "downloads" / "nats" / FOLDER)
    expected = (
        "The official NATS-Bench files must be named by their own directory, where meta.pickle.pbz2 is, got "
        f"{given}, which holds 1 of them; give {directory}."
    )
    for read in (NatsBenchmark, lambda path, dataset: open_benchmark(str(path), dataset)):
        assert message(read, given, "cifar10") == expected
    other = directory.with_name("another")
    other.mkdir()
    write(other / "meta.pickle.pbz2", {})
    assert message(NatsBenchmark, given, "cifar10").endswith(
        f"which holds 2 of them; give {directory} or {other}."
    )


@pytest.mark.parametrize("name", ["meta.pickle.pbz2", "000011.pickle.pbz2"])
def test_a_file_names_its_directory(directory, name):
    write(directory / name, {})
    for read in (NatsBenchmark, lambda path, dataset: open_benchmark(str(path), dataset)):
        assert message(read, directory / name, "cifar10") == (
            "The official NATS-Bench files must be named by their own directory, where meta.pickle.pbz2 is, "
            f"got {directory / name}, a file of one; give {directory}."
        )


def test_a_table_beside_official_files_is_a_table(directory):
    path = directory / "own.csv"
    pd.DataFrame({"arch": ARCHS, "cifar10_test_acc_200": np.linspace(0, 100, len(ARCHS))}).to_csv(path)
    assert open_benchmark(str(path), "cifar10").name == "table"


def test_no_directory(tmp_path):
    path = tmp_path / "nowhere"
    assert message(NatsBenchmark, path, "cifar10") == (
        f"The official NATS-Bench files must be a readable directory such as {FOLDER}, got {path} (No such "
        "file or directory); unpack the published archive and name its folder."
    )


def test_default_directory_is_that_of_nats_bench(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TORCH_HOME", raising=False)
    assert default_directory() == tmp_path / ".torch" / FOLDER
    monkeypatch.setenv("TORCH_HOME", "/some/where")
    assert default_directory() == Path("/some/where") / FOLDER
