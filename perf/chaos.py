"""Kills workers, nodes and drivers of a search on a cluster of this machine, and counts what was lost.

    python perf/chaos.py --kills 50

A head without CPUs and two nodes run one search. At random moments a worker, a whole node (another joins) or
the driver (which is then resumed) is killed with SIGKILL, until all kills are spent; then the search is
finished. Prints evaluations asked, done, lost and duplicated, and exits with 1 if anything is.
"""

from __future__ import annotations

import collections
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
import tyro
from local_cluster import SEARCH, Driver, cluster_of, rows_in, start
from ray.cluster_utils import Cluster

from nas_ray.runs.journal import FILE_NAME, read_journal

NODES = 2


@dataclass(frozen=True)
class Args:
    """How much to kill."""

    kills: int = 50
    """SIGKILLs in all."""
    rows_between: int = 8
    """Evaluations that are waited for before the next kill."""
    seed: int = 0
    """Seed of what is killed and when."""
    longest_s: float = 2.0
    """Longest wait before a kill."""


def kill_worker(rng: random.Random) -> str | None:
    """Kills the process of one trial, if there is one."""
    ours = psutil.Process().children(recursive=True)
    found = [process for process in ours if process.name().startswith("ray::ArchTrial")]
    if not found:
        return None
    rng.choice(found).kill()
    return "worker"


def kill_node(cluster: Cluster, rng: random.Random) -> str:
    """Kills one node that has cores, and lets another join."""
    nodes = [node for node in cluster.list_all_nodes() if node is not cluster.head_node]
    cluster.remove_node(rng.choice(nodes), allow_graceful=False)
    cluster.add_node(num_cpus=1)
    return "node"


def strike(cluster: Cluster, driver: Driver, rng: random.Random) -> str | None:
    """Kills one thing and returns what it was."""
    what = rng.choices(("worker", "node", "driver"), weights=(2, 1, 1))[0]
    if what == "driver":
        driver.kill()
        return what
    return kill_node(cluster, rng) if what == "node" else kill_worker(rng)


def main(args: Args) -> int:
    rng = random.Random(args.seed)
    killed: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as scratch, cluster_of(*[1] * NODES) as cluster:
        folder = Path(scratch) / "run"
        count = (args.kills + 2) * args.rows_between
        driver = start(cluster.address, *SEARCH, "--num-samples", str(count), "--out", str(folder))
        while killed.total() < args.kills:
            wait_for(driver, folder, rows_in(folder) + args.rows_between)
            time.sleep(rng.uniform(0, args.longest_s))
            if driver.running and (what := strike(cluster, driver, rng)):
                killed[what] += 1
                print(f"kill {killed.total()}: {what} after {rows_in(folder)} rows", flush=True)
            if not driver.running:
                driver = start(cluster.address, "--resume", str(folder), "--num-samples", more(folder, args))
        if driver.wait(3_600):
            print(driver.said)
        return report(folder, killed)


def more(folder: Path, args: Args) -> str:
    """Returns a number of evaluations that leaves room for the kills to come."""
    return str(rows_in(folder) + (args.kills + 2) * args.rows_between)


def wait_for(driver: Driver, folder: Path, rows: int) -> None:
    """Waits for `rows` evaluations, or for the end of the process."""
    while driver.running and rows_in(folder) < rows:
        time.sleep(0.1)


def report(folder: Path, killed: collections.Counter[str]) -> int:
    """Prints what came of it and returns the exit code."""
    events = read_journal(folder / FILE_NAME)
    asked = [event["trial"] for event in events if event["event"] == "ask"]
    told = [event["trial"] for event in events if event["event"] == "tell"]
    table = pd.read_parquet(folder / "results.parquet")
    lost, twice = len(set(asked) - set(told)), len(told) - len(set(told))
    failed = int(table["error"].notna().sum())
    print(", ".join(f"{number} x {what}" for what, number in sorted(killed.items())) + " killed")
    print(f"asked {len(asked)}, done {len(told)}, lost {lost}, duplicated {twice}, failed rows {failed}")
    return 1 if lost or twice or len(table) != len(told) else 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
