from __future__ import annotations

import bz2
import pickle

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks import explain_auto, open_benchmark
from nas_ray.benchmarks.nats import FOLDER
from nas_ray.errors import UsageError
from nas_ray.spaces import NatsTss


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path


def install(folder, archives: int) -> None:
    folder.mkdir()
    meta = bz2.compress(pickle.dumps({"meta_archs": list(NatsTss())}, 4))
    (folder / "meta.pickle.pbz2").write_bytes(meta)
    for index in range(archives):
        (folder / f"{index:06d}.pickle.pbz2").touch()


def test_auto_takes_a_complete_official_directory(torch_home):
    install(torch_home / FOLDER, 15_625)
    assert explain_auto() == ("nats", f"the official directory {torch_home / FOLDER} is complete")
    for spec in ("auto", "nats", str(torch_home / FOLDER)):
        benchmark = open_benchmark(spec, "cifar100")
        assert (benchmark.name, benchmark.dataset, benchmark.directory) == (
            "nats",
            "cifar100",
            torch_home / FOLDER,
        )


def test_auto_passes_over_a_half_unpacked_directory_and_says_why(torch_home):
    folder = torch_home / FOLDER
    assert explain_auto() == ("nb201", f"there is no official directory {folder}")
    install(folder, 2)
    assert open_benchmark("auto", "cifar10").name == "nb201"
    name, why = explain_auto()
    assert name == "nb201"
    assert why.startswith(
        f"the official directory {folder} cannot be used: The directory must hold the archives of "
    )
    with pytest.raises(UsageError, match="where 15623 are missing"):
        open_benchmark("nats", "cifar10")
    (folder / "meta.pickle.pbz2").write_bytes(b"")
    assert open_benchmark("auto", "cifar10").name == "nb201"


def test_a_file_is_a_table(tmp_path):
    path = tmp_path / "own.csv"
    archs = NatsTss().archs
    pd.DataFrame({"arch": archs, "cifar10_test_acc_200": np.linspace(0, 100, len(archs))}).to_csv(path)
    assert open_benchmark(str(path), "cifar10").all_test_acc()[-1] == 100


@pytest.mark.parametrize("spec", ["x" * 300, "a\0b", "x" * 5_000])
def test_what_no_path_can_be_is_unknown(spec):
    with pytest.raises(UsageError, match="^Unknown benchmark "):
        open_benchmark(spec, "cifar10")


def test_unknown_names_say_the_nearest_and_all():
    with pytest.raises(UsageError) as error:
        open_benchmark("nb2001", "cifar10")
    assert str(error.value) == (
        "Unknown benchmark 'nb2001'. Did you mean 'nb201'? Known: auto, nats, nb201, none, or the path of an "
        "official NATS-Bench directory or of a table file, and no such path exists."
    )
    with pytest.raises(UsageError) as error:
        open_benchmark("none", "mnist")
    assert str(error.value).startswith("Unknown dataset 'mnist'.")
