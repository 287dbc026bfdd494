"""Searches across several nodes that come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf.local_cluster import SEARCH, cluster_of, finished, start, wait_for_rows

pytestmark = [pytest.mark.ray, pytest.mark.cluster]


def test_a_node_is_killed_and_another_joins(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with cluster_of(1, 1) as cluster:
        slow = ["--proxies", "params,tests.cluster.pauses:pauses"]
        driver = start(cluster.address, *SEARCH, *slow, "--num-samples", "250", "--out", str(out))
        wait_for_rows(driver, out, 20)
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        wait_for_rows(driver, out, 40)
        cluster.add_node(num_cpus=2)
        table = finished(driver, out)
    assert len(table) == 250
    assert table["arch"].is_unique
    assert table["error"].isna().all()  # the trials of the lost node were made again
    assert table["worker"].nunique() >= 3


def test_a_killed_driver_is_continued_on_the_same_cluster(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with cluster_of(2) as cluster:
        driver = start(cluster.address, *SEARCH, "--num-samples", "120", "--out", str(out))
        wait_for_rows(driver, out, 20)
        driver.kill()
        table = finished(start(cluster.address, "--resume", str(out)), out)
    assert len(table) == 120
    assert table["error"].isna().all()


def test_a_head_that_goes_ends_the_search_and_another_cluster_continues_it(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with cluster_of(2) as cluster:
        driver = start(cluster.address, *SEARCH, "--num-samples", "150", "--out", str(out))
        wait_for_rows(driver, out, 20)
    assert driver.wait(300) != 0
    assert "Traceback" not in driver.said
    with cluster_of(2) as cluster:
        table = finished(start(cluster.address, "--resume", str(out)), out)
    assert len(table) == 150
    assert table["error"].isna().all()


def test_nodes_that_come_later_are_waited_for(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with cluster_of() as cluster:
        wait = ["--wait-for-gpus", "90"]
        driver = start(cluster.address, *SEARCH, "--num-samples", "10", "--out", str(out), *wait)
        with pytest.raises(AssertionError, match="0 rows"):
            wait_for_rows(driver, out, 1, seconds=12)
        cluster.add_node(num_cpus=1)
        assert len(finished(driver, out)) == 10


def test_a_cluster_without_cores_is_said_at_once(tmp_path: Path) -> None:
    with cluster_of() as cluster:
        driver = start(cluster.address, *SEARCH, "--out", str(tmp_path / "run"))
        assert driver.wait(120) == 2
    assert "A trial needs one CPU core, but the cluster at" in driver.said
    assert not (tmp_path / "run" / "run.json").exists()
