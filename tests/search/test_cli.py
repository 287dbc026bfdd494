"""The experiments as a user runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.commands.next_line import next_commands
from tests.guards.commands import call, refused

ROOT = Path(__file__).parents[2]
SMALL = ["--batch-size", "8", "--population", "4", "--sample", "2", "--max-concurrent", "1"]


def command(name: str, *arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "experiments" / f"{name}.py"), *map(str, arguments)]


def run(name: str, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.run(
        command(name, *arguments), cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.ray
def test_a_run_leaves_everything(tmp_path: Path) -> None:
    done = run("rea", *SMALL, "--num-samples", 8, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "run"
    names = {
        ".lock",
        "best.json",
        "cell.png",
        "journal.jsonl",
        "results.csv",
        "results.parquet",
        "run.json",
        "search.png",
    }
    assert {path.name for path in folder.iterdir()} == names
    rows = pd.read_parquet(folder / "results.parquet")
    assert len(rows) == 8
    assert {
        "trial",
        "arch",
        "logsynflow",
        "skip",
        "fitness",
        "seconds",
        "worker",
        "error",
        "valid_acc",
    } <= set(rows)
    assert rows["acc_source"].str.contains("x-valid").all()
    best = json.loads((folder / "best.json").read_text())
    assert best["arch"] == rows.loc[rows["fitness"].idxmax(), "arch"]
    info = json.loads((folder / "run.json").read_text())
    assert info["status"] == "finished"
    assert info["args"]["seed"] == 0
    assert "digits" in info["images"]["description"]
    assert "--images" in done.stdout
    assert f"rank {best['rank']:,} of 15,625" in done.stdout
    assert "Warning" not in done.stderr
    assert "(pid=" not in done.stdout + done.stderr
    assert next_commands(done.stdout)[0].endswith(f"report.py {folder}")

    again = call("rea", "--resume", folder, "--driver", "process")
    assert again.code == 0, again.err
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "results.parquet"), rows)


def wait_for_rows(process: subprocess.Popen[str], folder: Path, rows: int) -> None:
    for _ in range(2400):
        path = folder / "journal.jsonl"
        if path.exists() and path.read_text().count('"tell"') >= rows:
            return
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the search did not get going: {process.communicate()[0]}")


STOPPED = [*SMALL, "--num-samples", 16]


@pytest.mark.ray
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        pytest.param(
            signal.SIGINT,
            marks=pytest.mark.slow(faster="test_a_run_cut_after_any_event_ends_as_the_whole_one"),
        ),
    ],
)
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(number: signal.Signals, tmp_path: Path) -> None:
    done = call("rea", *STOPPED, "--driver", "process", "--out", tmp_path / "whole")
    assert done.code == 0, done.err
    left_alone = pd.read_parquet(tmp_path / "whole" / "results.parquet")
    folder = tmp_path / "stopped"
    process = subprocess.Popen(
        command("rea", *STOPPED, "--out", folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    wait_for_rows(process, folder, 5)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert f"--resume {folder}" in output
        assert 5 <= len(pd.read_parquet(folder / "results.parquet")) < 16
    resumed = call("rea", "--resume", folder, "--driver", "process")
    assert resumed.code == 0, resumed.err
    measured = ["seconds", "finished_at", "worker"]
    table = pd.read_parquet(folder / "results.parquet")
    pd.testing.assert_frame_equal(table.drop(columns=measured), left_alone.drop(columns=measured))


def test_a_proxy_of_the_user_runs_in_the_workers(
    ray_started: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "def width(net, inputs, targets):\n"
        "    sizes = [p.shape[0] for p in net.parameters() if p.ndim == 4]\n"
        "    return {'sum': sum(sizes), 'largest': max(sizes)}\n"
    )
    out = tmp_path / "run"
    done = call(
        "random_search", "--proxies", "mine:width,params", "--fitness", "width.sum", "--num-samples", 4,
        "--batch-size", 4, "--benchmark", "none", "--out", out,
    )  # fmt: skip
    assert done.code == 0, done.err
    rows = pd.read_csv(out / "results.csv")
    assert np.isfinite(rows[["width.sum", "width.largest", "params"]]).all().all()
    assert (rows["fitness"] == rows["width.sum"]).all()


def test_a_search_in_which_everything_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text(
        "def deep_only(net, inputs, targets):\n"
        "    if sum(1 for _ in net.modules()) > 20:\n"
        "        raise RuntimeError('too deep')\n"
        "    return 1.0\n"
    )
    done = call(
        "random_search", "--proxies", "bad:deep_only", "--num-samples", 3, "--batch-size", 4,
        "--driver", "process", "--out", tmp_path / "run",
    )  # fmt: skip
    assert done.code == 1
    said = " ".join(done.out.split())
    error = r"the first error was trial 0: deep_only: RuntimeError: too deep"
    assert re.search(f"none of 3 evaluations succeeded; {error}", said)
    assert len(pd.read_parquet(tmp_path / "run" / "results.parquet")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "cifar11"], "Unknown dataset 'cifar11'. Did you mean 'cifar10'?"),
        (["--proxies", "naswott"], "Unknown proxy 'naswott'. Did you mean 'naswot'?"),
        (["--benchmark", "nb202"], "Unknown benchmark 'nb202'. Did you mean 'nb201'?"),
        (["--space", "nats-ts"], "Unknown search space 'nats-ts'. Did you mean 'nats-tss'?"),
        (["--images", "digit"], "Unknown images 'digit'. Did you mean 'digits'?"),
        (
            ["--proxies", "naswot,synflow", "--fitness", "rank_sum:snip"],
            "Fitness 'rank_sum:snip': Unknown score 'snip'.",
        ),
        (["--fitness", "rank_sum:snipp"], "Fitness 'rank_sum:snipp': Unknown score 'snipp'."),
        (["--num-gpus", "4096"], "--num-gpus 4096 was asked for, but this machine has"),
        (
            ["--gpus-per-trial", "1.5"],
            "--gpus-per-trial must be a fraction up to 1 or a whole number, got 1.5.",
        ),
        (["--batch-size", "100000"], "The batch size must be at most 1347"),
        (["--num-samples", "0"], "--num-samples must be from 1 to 1,000,000,000, got 0."),
        (["--time-budget-s", "-1"], "--time-budget-s must be above 0 and at most 1,000,000,000, got -1.0."),
        (["--seed", "-1"], "--seed must be from 0 to 2^63 - 1, got -1."),
        (
            ["--population", "0"],
            "--population must be from 1 to 1,000,000, got 0.",
        ),
        (
            ["--resume", "no/such/run"],
            "A run folder with a run.json is needed, and no/such/run is none.",
        ),
        (["--out", "/proc/no"], "The folder /proc/no must be writable"),
        (["--address", "127.0.0.1:1"], "Nothing answers at --address 127.0.0.1:1"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    out = [] if {"--out", "--resume"} & set(arguments) else ["--out", str(tmp_path / "run")]
    assert refused("rea", *arguments, *out).startswith(message)


def stored_run(folder: Path, **changes: object) -> Path:
    """Writes a run folder as `rea.py` would."""
    args = {"dataset": "cifar10", "seed": 3, "population": 4, "sample": 2, "proxies": ["naswot"]}
    info = {"format": 1, "experiment": "rea", "args": args, "minibatch_sha256": "0", **changes}
    folder.mkdir()
    (folder / "journal.jsonl").touch()
    (folder / "run.json").write_text(json.dumps(info))
    return folder


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        (
            {},
            ["--seed", "4"],
            "was made with --seed 3 and cannot go on with 4; leave --seed out, or start a new run.",
        ),
        ({}, [], "scored another minibatch than digits gives now"),
        ({"experiment": "skip_rea"}, [], "is a run of skip_rea.py; resume it with that script, not rea.py."),
        (
            {"format": 99},
            [],
            "has format 99, of a newer nas_ray; this version reads formats up to 1",
        ),
        ({"args": {"colour": 1}}, [], "was made by another version"),
        ({"args": None}, [], "was made by another version"),
        (
            {"args": {"seed": "x"}},
            [],
            "was changed: seed must be int, but is 'x'; start a new run.",
        ),
    ],
)
def test_runs_that_cannot_be_resumed(
    changes: dict[str, object], arguments: list[str], message: str, tmp_path: Path
) -> None:
    assert message in refused("rea", "--resume", stored_run(tmp_path / "run", **changes), *arguments)


def test_an_unknown_searcher_is_named(tmp_path: Path) -> None:
    message = refused("search", "--searcher", "reaa", "--out", tmp_path / "run")
    assert message.startswith("Unknown searcher 'reaa'. Did you mean 'rea'? Known: area, freerea,")


def test_help_teaches() -> None:
    done = call("skip_rea", "--help", environment={"COLUMNS": "120"})
    assert done.code == 0
    for word in ("--num-gpus", "--min-skips", "None means 300", "module:function"):
        assert word in " ".join(done.out.split())
