"""A search as a job that is submitted to a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import ray

from perf.local_cluster import ROOT

pytestmark = [pytest.mark.ray, pytest.mark.slow]
RAY = [sys.executable, "-c", "from ray.scripts.scripts import main; main()"]


@pytest.fixture
def dashboard() -> Iterator[str]:
    """The address that takes jobs of a cluster on this machine."""
    pytest.importorskip("aiohttp_cors", reason="the dashboard of Ray needs ray[default]")
    context = ray.init(
        address="local", num_cpus=1, include_dashboard=True, dashboard_port=0, log_to_driver=False
    )
    yield f"http://{context.dashboard_url}"
    ray.shutdown()


def test_a_submitted_search_leaves_its_table(dashboard: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    search = [sys.executable, "experiments/random_search.py", "--smoke", "--proxies", "params"]
    given = ["--images", "digits", "--benchmark", "none", "--out", str(out)]
    places = ["--address", dashboard, "--working-dir", str(ROOT)]
    done = subprocess.run(
        [*RAY, "job", "submit", *places, "--", *search, *given],
        env={name: value for name, value in os.environ.items() if name not in ("RAY_ADDRESS", "PYTHONPATH")},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "succeeded" in done.stdout
    assert "on the cluster at" in done.stdout  # and not on a cluster of its own
    table = pd.read_parquet(out / "results.parquet")
    assert len(table) == 6
    assert table["error"].isna().all()
