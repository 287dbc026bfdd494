"""`nas-ray one-shot`: methods and seeds as trials, tables, and going on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks import open_benchmark
from nas_ray.runs.folder import read_run
from nas_ray.runs.journal import FILE_NAME
from nas_ray.spaces import NatsTss
from tests.guards.commands import call, refused

SMALL = (
    *("--images", "digits", "--epochs", 2, "--batch-size", 8, "--channels", 2, "--cells", 1),
    *("--data-fraction", 0.02, "--benchmark", "nb201", "--driver", "process"),
)
SAME = ["arch", "found", "found_best", "valid_acc", "train_loss", "skips", "entropy", "curve"]


def table(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "results.parquet")[SAME]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run that was left alone, and what it printed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    ended = call("one_shot", "--method", "darts1,gdas", "--seeds", 2, *SMALL, "--out", folder)
    assert ended.code == 0, ended.err
    return folder, ended.out


def test_it_says_what_it_does_and_what_came_out(whole: tuple[Path, str]) -> None:
    folder, out = whole
    assert "one-shot search on nats-tss for cifar10: darts1, gdas, 2 seeds each" in out
    assert "architecture weights on" in out
    assert "time       about " in out
    assert ": 8 epochs of " in out
    for word in ("Archs found by each method", "darts1", "gdas", "random archs", "all archs"):
        assert word in out
    found = table(folder)
    assert sorted(found["arch"]) == ["darts1,seed=0", "darts1,seed=1", "gdas,seed=0", "gdas,seed=1"]
    assert all(arch in NatsTss() for arch in found["found"])
    assert "trajectory" not in pd.read_csv(folder / "results.csv").columns
    assert read_run(folder)["status"] == "finished"
    assert (folder / "course.png").stat().st_size > 10_000


def test_its_tables_say_the_same(whole: tuple[Path, str]) -> None:
    folder, _ = whole
    found = table(folder).set_index("arch")
    epochs = pd.read_csv(folder / "epochs.csv")
    assert list(epochs["epoch"]) == [1, 2] * 4
    last = epochs[epochs["epoch"] == 2].set_index("arch")
    assert (last["found"] == found["found"].loc[last.index]).all()
    everything = open_benchmark("nb201", "cifar10").all_test_acc()
    better = [int((everything > accuracy + 1e-9).sum()) for accuracy in epochs["accuracy"]]
    assert list(epochs["rank"]) == [1 + number for number in better]
    weights = pd.read_parquet(folder / "weights.parquet")
    assert len(weights) == 4 * 2 * 6 * 5
    sums = weights.groupby(["arch", "epoch", "source", "target"])["weight"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-5)
    methods = pd.read_csv(folder / "methods.csv").set_index("method")
    rows = pd.read_parquet(folder / "results.parquet")
    mean = rows[rows["arch"].str.startswith("gdas")]["benchmark_valid_acc"].mean()
    assert methods["mean"]["gdas"] == pytest.approx(mean)


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(0, marks=pytest.mark.slow(faster="test_a_run_is_resumed_after_any_event")),
        1,
        pytest.param(4, marks=pytest.mark.slow(faster="test_a_run_is_resumed_after_any_event")),
        7,
    ],
)
def test_a_run_is_resumed_after_any_event(whole: tuple[Path, str], tmp_path: Path, left: int) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_bytes((whole[0] / "run.json").read_bytes())
    lines = (whole[0] / FILE_NAME).read_text().splitlines(keepends=True)
    (folder / FILE_NAME).write_text("".join(lines[:left]))
    resumed = call("one_shot", "--resume", folder)
    assert resumed.code == 0, resumed.err
    pd.testing.assert_frame_equal(table(folder), table(whole[0]))
    assert (folder / "epochs.csv").read_bytes() == (whole[0] / "epochs.csv").read_bytes()


@pytest.mark.slow(faster="test_a_search_goes_on_after_every_epoch_with_equal_numbers")
def test_a_killed_search_goes_on_from_its_last_epoch(tmp_path: Path) -> None:
    words = ["one-shot", "--method", "darts2", "--seeds", "1", *map(str, SMALL), "--epochs", "5"]
    command = [sys.executable, "-m", "nas_ray", *words]
    running = subprocess.Popen([*command, "--out", str(tmp_path / "killed")], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 240
    while time.monotonic() < until and not list((tmp_path / "killed" / "checkpoints").glob("*")):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert call("one_shot", "--resume", tmp_path / "killed").code == 0
    assert call("one_shot", *words[1:], "--out", tmp_path / "alone").code == 0
    pd.testing.assert_frame_equal(table(tmp_path / "killed"), table(tmp_path / "alone"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--space", "nats-sss"), "trainable supernet"),
        (("--method", "darts9"), "one-shot method"),
        (("--method", "darts1,weights=soft"), "must be one of"),
        (("--data-fraction", 1e-6), "one-shot search needs"),
        (("--channels", 2, "--method", "pc-darts"), "must be a multiple"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, options: tuple[object, ...], said: str) -> None:
    assert said in refused("one_shot", *SMALL, *options, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()
