"""A cluster of several nodes on this machine, and searches that run on it as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from ray.cluster_utils import Cluster

from nas_ray.journal import FILE_NAME, read_journal

ROOT = Path(__file__).parents[1]
SEARCH = ["--proxies", "params", "--images", "digits", "--batch-size", "4", "--benchmark", "none"]


@contextmanager
def cluster_of(*cpus: int) -> Iterator[Cluster]:
    """Gives a cluster whose head has no CPU, with one more node per entry of `cpus`."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for count in cpus:
            made.add_node(num_cpus=count)
        yield made
    finally:
        made.shutdown()


def start(address: str | None, *arguments: str, script: str = "random_search.py") -> subprocess.Popen[str]:
    """Starts a search on the cluster at `address`."""
    joined = ["--address", address] if address else []
    return subprocess.Popen(
        [sys.executable, str(ROOT / "experiments" / script), *joined, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def rows_in(folder: Path) -> int:
    """Returns how many evaluations the journal of `folder` holds."""
    path = folder / FILE_NAME
    return sum(event["event"] == "tell" for event in read_journal(path)) if path.exists() else 0


def wait_for_rows(process: subprocess.Popen[str], folder: Path, count: int, seconds: float = 120) -> None:
    """Waits until the search has `count` rows."""
    deadline = time.monotonic() + seconds
    while rows_in(folder) < count:
        said = "" if process.poll() is None else str(process.communicate()[0])
        assert process.poll() is None, said
        assert time.monotonic() < deadline, f"{rows_in(folder)} rows after {seconds} s"
        time.sleep(0.1)


def finished(process: subprocess.Popen[str], folder: Path, seconds: float = 240) -> pd.DataFrame:
    """Waits for the end of the search and returns its table, in which nothing is lost or twice."""
    said, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, said
    events = read_journal(folder / FILE_NAME)
    asked = [event["trial"] for event in events if event["event"] == "ask"]
    told = [event["trial"] for event in events if event["event"] == "tell"]
    assert sorted(asked) == sorted(told) == list(range(len(asked)))
    return pd.read_parquet(folder / "results.parquet")
