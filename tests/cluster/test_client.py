"""Searches over Ray Client: Tune runs at the head, the run folder stays with the driver."""

from __future__ import annotations

import socket
from pathlib import Path

import pandas as pd
import pytest

from perf.local_cluster import SEARCH, cluster_of, finished, start, wait_for_rows

pytestmark = [pytest.mark.ray, pytest.mark.cluster]
PROXIES = ["--proxies", "params,tests.cluster.pauses:pauses"]  # a module that the cluster does not have


@pytest.fixture
def port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def client(cluster_address: str, port: int) -> str:
    return f"ray://{cluster_address.partition(':')[0]}:{port}"


def test_a_killed_driver_is_continued_and_finds_what_a_local_search_finds(tmp_path: Path, port: int) -> None:
    out = tmp_path / "run"
    wanted = [*SEARCH, *PROXIES, "--max-concurrent", "1", "--num-samples", "40"]
    local = start("local", *wanted, "--out", str(tmp_path / "local"))
    with cluster_of(1, client_port=port) as cluster:
        driver = start(client(cluster.address, port), *wanted, "--out", str(out))
        wait_for_rows(driver, out, 10)
        driver.kill()
        table = finished(start(client(cluster.address, port), "--resume", str(out)), out)
    same = ["trial", "arch", "params", "fitness", "error"]
    pd.testing.assert_frame_equal(table[same], finished(local, tmp_path / "local")[same])


def test_a_head_that_goes_ends_the_search_and_this_machine_continues_it(tmp_path: Path, port: int) -> None:
    out = tmp_path / "run"
    with cluster_of(2, client_port=port) as cluster:
        driver = start(
            client(cluster.address, port), *SEARCH, *PROXIES, "--num-samples", "120", "--out", str(out)
        )
        wait_for_rows(driver, out, 20)
    assert driver.wait(300) == 2
    assert "Traceback" not in driver.said
    assert "The search ended after" in driver.said
    table = finished(start("local", "--resume", str(out)), out)
    assert len(table) == 120
    assert table["error"].isna().all()
