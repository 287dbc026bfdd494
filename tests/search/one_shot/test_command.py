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


ON_TEXT = (
    *("--space", "darts-rnn:width=8", "--batch-size", 16, "--data-fraction", 0.02),
    *("--task", "text", "--driver", "process"),
)


@pytest.mark.slow(faster="test_a_search_goes_on_after_every_epoch_with_equal_numbers")
def test_a_killed_search_goes_on_from_its_last_epoch(tmp_path: Path) -> None:
    killed, alone = killed_and_alone(tmp_path, "--method", "darts2", "--seeds", 1, *SMALL, "--epochs", 5)
    pd.testing.assert_frame_equal(table(killed), table(alone))


@pytest.mark.slow(faster="test_a_killed_search_goes_on_with_equal_weights")
@pytest.mark.parametrize("method", ["darts1", "darts2"])
def test_a_killed_search_on_a_text_goes_on_with_equal_weights(tmp_path: Path, method: str) -> None:
    killed, alone = killed_and_alone(
        tmp_path, "--method", method, "--seeds", 1, *ON_TEXT, "--epochs", 3 if method == "darts2" else 5
    )
    columns = [*SAME, "valid_nats", "valid_loss"]
    found, expected = (pd.read_parquet(one / "results.parquet")[columns] for one in (killed, alone))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    found, expected = (pd.read_parquet(one / "weights.parquet") for one in (killed, alone))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)  # of operations, after every epoch


def killed_and_alone(folder: Path, *words: object) -> tuple[Path, Path]:
    """Returns the folders of a run that went on after SIGKILL in its second epoch, and of an equal one."""
    options = [str(word) for word in words]
    killed, alone = folder / "killed", folder / "alone"
    command = [sys.executable, "-m", "nas_ray", "one-shot", *options, "--out", str(killed)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 240
    while time.monotonic() < until and not list((killed / "checkpoints").glob("*")):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert read_run(killed)["status"] == "running"
    assert call("one_shot", "--resume", killed).code == 0
    assert call("one_shot", *options, "--out", alone).code == 0
    return killed, alone


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
