"""Kills a search with SIGKILL at random moments, resumes it, and compares it with a run left alone.

    python perf/kill_resume.py --kills 20

Prints evaluations asked, done, lost and duplicated, and exits with 1 if the tables differ.
"""

from __future__ import annotations

import dataclasses
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import tyro

from nas_ray.runs.journal import FILE_NAME, read_journal, rows_of

SCRIPT = Path(__file__).parents[1] / "experiments" / "rea.py"
MEASURED = ["seconds", "finished_at", "worker"]


@dataclasses.dataclass(frozen=True)
class Args:
    """Kill and resume one search until it is finished."""

    kills: int = 20
    """SIGKILLs to send."""
    num_samples: int = 120
    """Evaluations of the search."""
    seed: int = 0
    """Seed of the moments."""
    longest_s: float = 6.0
    """Longest time from the first new row of a process to its end."""
    extra: str = "--batch-size 16 --population 20 --sample 5"
    """Further arguments of the search."""


def search(*arguments: str) -> list[str]:
    return [sys.executable, str(SCRIPT), "--max-concurrent", "1", *arguments]


def events(folder: Path) -> int:
    return len(read_journal(folder / FILE_NAME)) if (folder / FILE_NAME).exists() else 0


def kill_one(command: list[str], folder: Path, rng: random.Random, longest_s: float) -> str:
    """Starts the search, lets it come up or not, and kills it; returns what it was doing."""
    before = events(folder)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if rng.random() < 0.85:  # else: killed while it starts
        while process.poll() is None and events(folder) <= before + 1:
            time.sleep(0.05)
    time.sleep(rng.uniform(0, longest_s))
    if process.poll() is not None:
        return "finished before the kill"
    process.send_signal(signal.SIGKILL)
    process.wait()
    rows = rows_of(read_journal(folder / FILE_NAME)) if (folder / FILE_NAME).exists() else []
    return f"killed with {len(rows)} rows"


def main(args: Args) -> int:
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as scratch:
        alone, killed = Path(scratch) / "alone", Path(scratch) / "killed"
        options = [*args.extra.split(), "--num-samples", str(args.num_samples)]
        subprocess.run(search(*options, "--out", str(alone)), check=True, stdout=subprocess.DEVNULL)
        start = search(*options, "--out", str(killed))
        for kill in range(args.kills):
            command = search("--resume", str(killed)) if (killed / "run.json").exists() else start
            print(f"kill {kill + 1}: {kill_one(command, killed, rng, args.longest_s)}", flush=True)
        subprocess.run(search("--resume", str(killed)), check=True, stdout=subprocess.DEVNULL)
        one, two = (
            pd.read_parquet(path / "results.parquet").drop(columns=MEASURED) for path in (alone, killed)
        )
        journal = read_journal(killed / FILE_NAME)
    asked = sum(event["event"] == "ask" for event in journal)
    told = [event["trial"] for event in journal if event["event"] == "tell"]
    lost, twice = asked - len(set(told)), len(told) - len(set(told))
    print(f"asked {asked}, done {len(told)}, lost {lost}, duplicated {twice}")
    print("tables are equal" if one.equals(two) else "TABLES DIFFER")
    return 0 if one.equals(two) and not lost and not twice else 1


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
