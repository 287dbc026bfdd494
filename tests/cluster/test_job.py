"""A search as a job that is submitted to a cluster."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from ray.cluster_utils import Cluster

from perf.local_cluster import ROOT

pytestmark = [pytest.mark.ray, pytest.mark.cluster]
RAY = [sys.executable, "-c", "from ray.scripts.scripts import main; main()"]


@pytest.fixture
def dashboard() -> Iterator[str]:
    """The address that takes jobs of a cluster on this machine."""
    pytest.importorskip("aiohttp_cors", reason="the dashboard of Ray needs ray[default]")
    ports = {"dashboard_port": free_port(), "dashboard_agent_listen_port": free_port()}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": True, **ports})
    yield f"http://{made.head_node.webui_url}"
    made.shutdown()


def free_port() -> int:
    """Returns a port that nothing listens on; Ray's own choices are taken where it runs twice."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def submitted(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs `command`, again as long as the cluster is not ready to take a job."""
    environment = {n: value for n, value in os.environ.items() if n not in ("RAY_ADDRESS", "PYTHONPATH")}
    deadline = time.monotonic() + 90
    while True:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
        if "No available agent" not in done.stderr or time.monotonic() > deadline:
            return done
        time.sleep(2)


def test_a_submitted_search_leaves_its_table(dashboard: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    search = [sys.executable, "experiments/random_search.py", "--smoke", "--proxies", "params"]
    given = ["--images", "digits", "--benchmark", "none", "--out", str(out)]
    places = ["--address", dashboard, "--working-dir", str(ROOT)]
    done = submitted([*RAY, "job", "submit", *places, "--", *search, *given])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "succeeded" in done.stdout
    assert "on the cluster at" in done.stdout  # and not on a cluster of its own
    table = pd.read_parquet(out / "results.parquet")
    assert len(table) == 6
    assert table["error"].isna().all()
