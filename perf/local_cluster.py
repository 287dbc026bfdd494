"""A cluster of several nodes on this machine, and searches that run on it as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from ray.cluster_utils import Cluster

from nas_ray.runs.journal import FILE_NAME, read_journal

ROOT = Path(__file__).parents[1]
SEARCH = ["--proxies", "params", "--images", "digits", "--batch-size", "4", "--benchmark", "none"]


@contextmanager
def cluster_of(*cpus: int, client_port: int | None = None) -> Iterator[Cluster]:
    """Gives a cluster whose head has no CPU, with one more node per entry of `cpus`.

    With `client_port` its head takes drivers over Ray Client there.
    """
    head: dict[str, Any] = {"num_cpus": 0, "include_dashboard": False}
    head |= {} if client_port is None else {"ray_client_server_port": client_port}
    made = Cluster(initialize_head=True, head_node_args=head)
    try:
        for count in cpus:
            made.add_node(num_cpus=count)
        yield made
    finally:
        made.shutdown()


class Driver:
    """A search as a process; its output goes to a file, since a pipe that nobody reads would stop it."""

    def __init__(self, command: list[str]) -> None:
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as this object
        self.process = subprocess.Popen(
            command,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def wait(self, seconds: float = 240) -> int:
        """Waits for the end and returns the exit code."""
        return self.process.wait(timeout=seconds)

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.process.kill()
        self.process.wait()

    @property
    def said(self) -> str:
        """What it printed so far."""
        self._output.seek(0)
        return self._output.read()


def start(address: str | None, *arguments: str, script: str = "random_search.py") -> Driver:
    """Starts a search on the cluster at `address`."""
    joined = ["--address", address] if address else []
    return Driver([sys.executable, str(ROOT / "experiments" / script), *joined, *arguments])


def rows_in(folder: Path) -> int:
    """Returns how many evaluations the journal of `folder` holds."""
    path = folder / FILE_NAME
    return sum(event["event"] == "tell" for event in read_journal(path)) if path.exists() else 0


def wait_for_rows(driver: Driver, folder: Path, count: int, seconds: float = 120) -> None:
    """Waits until the search has `count` rows."""
    deadline = time.monotonic() + seconds
    while rows_in(folder) < count:
        assert driver.running, driver.said
        assert time.monotonic() < deadline, f"{rows_in(folder)} rows after {seconds} s"
        time.sleep(0.1)


def finished(driver: Driver, folder: Path) -> pd.DataFrame:
    """Waits for the end of the search and returns its table, in which nothing is lost or twice."""
    assert driver.wait() == 0, driver.said
    events = read_journal(folder / FILE_NAME)
    asked = [event["trial"] for event in events if event["event"] == "ask"]
    told = [event["trial"] for event in events if event["event"] == "tell"]
    assert sorted(asked) == sorted(told) == list(range(len(asked)))
    return pd.read_parquet(folder / "results.parquet")
