"""A training that SIGKILL ends goes on from its folder and ends as one that was left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

ROOT = Path(__file__).parents[2]
ARGUMENTS = (
    *("--arch", "lenet-5", "--images", "digits", "--recipe", "epochs:5:batch_size=16", "--seeds", "1"),
    *("--formats", "none", "--proxies", "synflow", "--num-threads", "1"),
)
CURVE = Path("nets") / "lenet-5-seed-0" / "curve.csv"


def started(*arguments: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, str(ROOT / "experiments" / "train.py"), *map(str, arguments)]
    return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)


@pytest.mark.slow(faster="test_a_cut_in_the_middle_of_an_epoch_changes_nothing")
def test_a_killed_training_ends_as_it_would_have(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert started(*ARGUMENTS, "--out", whole).wait(timeout=200) == 0
    process = started(*ARGUMENTS, "--out", killed)
    deadline = time.monotonic() + 200
    while not (killed / CURVE).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)  # into the second epoch
    process.kill()
    process.wait()
    assert len(pd.read_csv(killed / CURVE)) < 5
    assert not (killed / "model.pt").exists()
    assert started("--resume", killed).wait(timeout=200) == 0
    curves = [pd.read_csv(folder / CURVE).drop(columns="seconds") for folder in (whole, killed)]
    pd.testing.assert_frame_equal(*curves, check_exact=True)
    states = [torch.load(folder / "model.pt", weights_only=True)["state"] for folder in (whole, killed)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
