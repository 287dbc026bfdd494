from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from nas_ray.drivers.pool import score_chunks
from nas_ray.drivers.resources import Request, make_plan
from nas_ray.errors import UsageError
from nas_ray.score_space.args import ScoreArgs
from nas_ray.score_space.job import prepare
from nas_ray.score_space.run import run
from nas_ray.spaces import NatsTss
from tests.commands.next_line import next_commands

ARCHS = list(NatsTss())[:12]
SCRIPT = Path(__file__).parents[2] / "experiments" / "score_space.py"
SMALL = ["--proxies", "synflow", "--images", "digits", "--channels", "4", "--cells", "1", "--batch-size", "4"]


def args(out: Path, **changes: object) -> ScoreArgs:
    given: dict[str, object] = {
        "proxies": ("synflow", "params"), "num_archs": 12, "images": "digits", "benchmark": "none",
        "batch_size": 4, "channels": 4, "cells": 1, "chunk_size": 5, "num_cpus": 1, "num_gpus": 0, "out": out,
    }  # fmt: skip
    return ScoreArgs(**{**given, **changes})  # type: ignore[arg-type]


def scores(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "scores.parquet")


def test_equal_tables_on_one_worker_and_on_two_and_nothing_twice(ray_started: None, tmp_path: Path) -> None:
    console = Console(quiet=True)
    assert run(args(tmp_path / "one"), console) == 0
    assert run(args(tmp_path / "two", num_cpus=2), console) == 0
    pd.testing.assert_frame_equal(scores(tmp_path / "one"), scores(tmp_path / "two"))
    for name in ("scores.csv", "scores.png", "top.csv", "run.json"):
        assert (tmp_path / "one" / name).stat().st_size > 0
    chunks = sorted((tmp_path / "one" / "chunks").glob("*.parquet"))
    assert len(chunks) == 3
    chunks[1].unlink()
    times = {path: path.stat().st_mtime_ns for path in (chunks[0], chunks[2])}
    assert run(args(tmp_path / "one"), console) == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times
    pd.testing.assert_frame_equal(scores(tmp_path / "one"), scores(tmp_path / "two"))


class Deadly:
    """A scorer whose process dies of one arch, and once of another."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __call__(self, archs: Sequence[str]) -> pd.DataFrame:
        once = ARCHS[2] in archs and not self.mark.exists()
        if once:
            self.mark.touch()
        if once or ARCHS[7] in archs:
            os.kill(os.getpid(), signal.SIGKILL)
        return pd.DataFrame({"arch": list(archs), "x": 1.0, "seconds": 0.0, "error": None})


@pytest.mark.slow(faster="test_equal_tables_on_one_worker_and_on_two_and_nothing_twice")
def test_lost_workers_cost_no_row(ray_started: None, tmp_path: Path) -> None:
    plan = make_plan(Request(num_cpus=2), 2, 0, "this machine")
    chunks = [ARCHS[:4], ARCHS[4:7], ARCHS[7:8], ARCHS[8:]]
    done = dict(score_chunks(Deadly(tmp_path / "mark"), chunks, plan, columns=["x"]))
    table = pd.concat([done[number] for number in range(4)], ignore_index=True)
    assert table["arch"].tolist() == ARCHS
    assert table["arch"][table["x"].isna()].tolist() == [ARCHS[7]]
    assert table["error"][7] == "the worker died of this arch, 3 times"
    assert (tmp_path / "mark").exists()


PLUG_IN = """
def twice(net, inputs, targets):
    return {"weights": 2.0 * sum(p.numel() for p in net.parameters()), "images": float(len(inputs))}
"""


@pytest.mark.slow(faster="test_equal_tables_on_one_worker_and_on_two_and_nothing_twice")
def test_a_plug_in_and_any_proxy_once_per_class_within_memory(
    ray_started: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "bulk_plug_in.py").write_text(PLUG_IN)
    names = ("bulk_plug_in:twice", "params", "synflow", "zen")
    given = args(tmp_path / "out", proxies=names, num_archs=30, once_per_class=True, max_memory=16.0)
    console = Console(record=True, width=160)
    assert run(given, console) == 0
    assert next_commands(console.export_text())[0] == f"nas-ray report {tmp_path / 'out'}"
    table = scores(tmp_path / "out")
    assert list(table) == [
        *("arch", "scored_as", "twice.weights", "twice.images", "params", "synflow", "zen"),
        *("error", "error_kind"),
    ]
    assert (table["twice.weights"] == 2 * table["params"]).all()
    assert (table["twice.images"] == 4).all()
    repeats = table[table["scored_as"] != table["arch"]]
    assert len(repeats) > 0
    by_arch = table.set_index("arch")["synflow"]
    assert (repeats["synflow"].to_numpy() == by_arch[repeats["scored_as"]].to_numpy()).all()
    with pytest.raises(UsageError, match="--max-memory 0.001 must hold the driver"):
        run(args(tmp_path / "small", max_memory=0.001), console)


@pytest.mark.ray
@pytest.mark.slow(faster="test_equal_tables_on_one_worker_and_on_two_and_nothing_twice")
def test_a_killed_driver_loses_no_finished_chunk(tmp_path: Path) -> None:
    def command(out: Path) -> list[str]:
        more = ["--num-archs", "60", "--chunk-size", "2", "--num-cpus", "1", "--benchmark", "none"]
        return [sys.executable, str(SCRIPT), *SMALL, *more, "--out", str(out)]

    out = tmp_path / "killed"
    process = subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(out.glob("chunks/0*.parquet"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("chunks/0*.parquet")}
    assert len(kept) >= 3
    for folder in (out, tmp_path / "whole"):
        subprocess.run(command(folder), check=True, capture_output=True)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    pd.testing.assert_frame_equal(scores(out), scores(tmp_path / "whole"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proxies": ("synflo",)}, "Unknown proxy 'synflo'. Did you mean 'synflow'?"),
        ({"proxies": (",",)}, "At least one proxy is needed; known:"),
        ({"num_archs": 20_000}, "--num-archs must be from 0 to 15625"),
        ({"chunk_size": 0}, "--chunk-size must be from 1 to 1,000,000, got 0."),
        ({"max_memory": 0.0}, "--max-memory must be above 0 and at most 1,000,000, got 0.0."),
        ({"seed": -1}, "--seed must be from 0 to 2^63 - 1, got -1."),
        ({"dataset": "cifar11"}, "Unknown dataset 'cifar11'. Did you mean 'cifar10'?"),
        ({"archs": Path("no-such-file.txt")}, "--archs must be a text file with one arch per line"),
        ({"channels": 0}, "--channels must be from 1 to 1,024, got 0."),
    ],
)
def test_bad_input(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(args(tmp_path, **changes), Console(quiet=True))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "--archs must name a file with at least one arch"),
        ("conv\n", "must hold archs of the space only, but 1 of 1 are not"),
    ],
)
def test_a_bad_list_of_archs(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "archs.txt").write_text(content)
    with pytest.raises(UsageError) as caught:
        prepare(args(tmp_path, archs=tmp_path / "archs.txt", num_archs=0), Console(quiet=True))
    assert message in str(caught.value)


def test_a_list_of_archs_is_scored_in_its_order_and_once(tmp_path: Path) -> None:
    pd.DataFrame({"arch": [ARCHS[3], ARCHS[1], ARCHS[3]]}).to_csv(tmp_path / "archs.csv", index=False)
    job = prepare(args(tmp_path, archs=tmp_path / "archs.csv", num_archs=0), Console(quiet=True))
    assert job.archs == [ARCHS[3], ARCHS[1]]
