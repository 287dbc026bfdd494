"""`--driver process`: a search of a command in this process, without Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nas_ray.drivers.resources import Request, plan_here
from nas_ray.errors import UsageError
from nas_ray.runs.folder import read_run
from nas_ray.search.arguments import ReaArgs
from nas_ray.search.experiment import prepare
from tests.commands.next_line import next_commands
from tests.guards.commands import ROOT, call, refused

SMALL = ("--batch-size", 4, "--proxies", "naswot", "--benchmark", "nb201")
HERE = ("--driver", "process")
SAME = ["trial", "arch", "naswot", "fitness", "reused"]


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "results.parquet")[SAME]


def search(folder: Path, *options: object, command: str = "rea") -> str:
    ended = call(command, *SMALL, *HERE, "--out", folder, *options)
    assert ended.code == 0, ended.err
    return ended.out


def test_ray_is_not_imported(tmp_path: Path) -> None:
    words = [*map(str, SMALL), *HERE, "--num-samples", "2", "--out", "run", "--benchmark", "none"]
    program = (
        f"import sys; sys.argv = ['nas-ray', 'search', 'rea', *{words!r}]\n"
        "from nas_ray.commands.start import main\n"
        "try:\n    main()\n"
        "except SystemExit as ended:\n    assert not ended.code, ended.code\n"
        "found = [name for name in sys.modules if name.partition('.')[0] == 'ray']\n"
        "assert not found, found[:5]\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert read_run(tmp_path / "run")["status"] == "finished"


def test_it_says_where_it_runs_and_is_resumed_to_equal_rows(tmp_path: Path) -> None:
    out = search(tmp_path / "a", "--num-samples", 4)
    assert "one after the other in this process (" in out
    folder = tmp_path / "a"
    assert next_commands(out) == [
        f"python {ROOT}/experiments/{name}.py {folder}" for name in ("report", "train")
    ]
    resumed = call("rea", "--resume", tmp_path / "a", "--num-samples", 7, "--trial-timeout-s", 60)
    assert resumed.code == 0, resumed.err
    search(tmp_path / "b", "--num-samples", 7)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "a"), rows_of(tmp_path / "b"))


def test_either_driver_goes_on_with_the_other_to_equal_rows(ray_started: None, tmp_path: Path) -> None:
    search(tmp_path / "a", "--num-samples", 3)
    on = ("--driver", "ray", "--num-cpus", 1, "--num-samples", 6)
    resumed = call("rea", "--resume", tmp_path / "a", *on)
    assert resumed.code == 0, resumed.err
    assert read_run(tmp_path / "a")["args"]["driver"] == "ray"
    assert call("rea", "--resume", tmp_path / "a", *HERE, "--num-samples", 9).code == 0
    search(tmp_path / "b", "--num-samples", 9)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "a"), rows_of(tmp_path / "b"), rtol=1e-6)


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow(faster="test_a_signal_keeps_the_rows")),
    ],
)
def test_a_signal_keeps_the_rows(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes while an arch is scored, inside of Lightning."""
    from nas_ray.shared_weights.shared_scoring import SharedScoring

    scored, real = [0], SharedScoring.test_step

    def test_step(self: Any, batch: Any, batch_index: int) -> None:
        scored[0] += 1
        if scored[0] == 4:
            os.kill(os.getpid(), number)
        real(self, batch, batch_index)

    with monkeypatch.context() as patched:
        patched.setattr(SharedScoring, "test_step", test_step)
        ended = call("rea", *SMALL, *HERE, "--num-samples", 6, "--out", tmp_path / "a")
    assert ended.code == 130, ended.err
    assert "Interrupted after 3 evaluations; nothing is lost. Continue with:" in ended.out
    assert read_run(tmp_path / "a")["status"] == "interrupted"
    assert len(rows_of(tmp_path / "a")) == 3
    assert call("rea", "--resume", tmp_path / "a").code == 0
    search(tmp_path / "b", "--num-samples", 6)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "a"), rows_of(tmp_path / "b"))


@pytest.mark.slow(faster="test_a_run_and_one_that_was_stopped_are_equal")
def test_a_two_stage_search(tmp_path: Path) -> None:
    out = search(tmp_path / "run", "--smoke", command="two_stage")
    assert "2 epochs" in out
    assert next_commands(out)[1].endswith(f"train.py {tmp_path / 'run'}")
    table = pd.read_parquet(tmp_path / "run" / "results.parquet")
    assert table["epochs"].tolist()[0] == 2
    assert read_run(tmp_path / "run")["status"] == "finished"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ("--max-concurrent", 2),
            "--driver process runs one trial after the other, so --max-concurrent must be at most 1, got 2; "
            "take --driver ray for more.",
        ),
        (
            ("--address", "10.0.0.1:6379"),
            "--driver process runs without Ray and cannot join 10.0.0.1:6379; leave --address out, or give "
            "--address local.",
        ),
        (
            ("--fidelity", "epochs:4", "--scheduler", "asha"),
            "--scheduler asha is one of Ray Tune and needs --driver ray; leave one of them out.",
        ),
        (("--driver", "laptop"), "Unknown driver 'laptop'. Known: process, ray."),
    ],
)
def test_what_does_not_fit_is_refused(options: tuple[object, ...], says: str, tmp_path: Path) -> None:
    assert refused("rea", *HERE, *options, "--out", tmp_path / "run") == says
    assert not (tmp_path / "run").exists()


def test_one_gpu_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas_ray.drivers.resources.local_gpus", lambda: 4)
    assert plan_here(Request(driver="process")).accelerator == "gpu"
    assert plan_here(Request(driver="process", num_gpus=0)).accelerator == "cpu"
    with pytest.raises(UsageError, match="so --num-gpus must be at most 1, got 2"):
        plan_here(Request(driver="process", num_gpus=2))
    monkeypatch.setattr("nas_ray.drivers.resources.local_gpus", lambda: 0)
    with pytest.raises(UsageError, match="--num-gpus 1 was asked for, but this machine has 0 GPUs"):
        plan_here(Request(driver="process", num_gpus=1))


def test_a_cluster_in_the_environment_is_not_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    made = prepare("rea", ReaArgs(driver="process", batch_size=4, benchmark="none"), "rea")
    assert plan_here(made.request).driver == "process"
