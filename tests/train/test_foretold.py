"""A training says how long it will take before it starts, and when resumed how long the rest."""

from __future__ import annotations

import dataclasses
import io
import shutil
from pathlib import Path

from rich.console import Console

from nas_ray.train.args import TrainArgs
from nas_ray.train.run import train


def said(args: TrainArgs) -> str:
    out = io.StringIO()
    assert train(args, Console(file=out, width=200)) == 0
    return out.getvalue()


def test_what_is_left_is_told(tmp_path: Path) -> None:
    args = TrainArgs(
        arch="lenet-5", images="digits", recipe="epochs:2:data_fraction=0.05", seeds=2, formats=("none",),
        num_threads=1, proxies=("params",), out=tmp_path / "made",
    )  # fmt: skip
    text = said(args)
    assert "time       about " in text
    assert ": 4 epochs of " in text
    resumed = dataclasses.replace(args, out=None, resume=tmp_path / "made")
    assert "time " not in said(resumed)
    shutil.rmtree(tmp_path / "made" / "nets" / "lenet-5-seed-1")
    assert ": 2 epochs of " in said(resumed)
