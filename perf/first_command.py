"""How long the first command takes: to its first row, to its 150th, and to its end, and how many CPU seconds.

    python perf/first_command.py                                # this checkout
    python perf/first_command.py --beside ../before --repeats 3 # and another one, in turns
    python perf/first_command.py --command "experiments/rea.py --num-samples 300" --rows 1 150 300

Run it on a machine that does nothing else. CPU seconds are those of the process and all that it starts, Ray's
processes among them, which tell more than the clock where a machine is busy.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

HERE = Path(__file__).parents[1]
POLL_S = 0.05


class Tree:
    """The CPU seconds of a process and all that it has started, those that have ended among them."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._seconds: dict[tuple[int, float], float] = {}

    def look(self) -> float:
        """Looks at what there is, and returns the seconds so far."""
        try:
            there = [self._process, *self._process.children(recursive=True)]
        except psutil.Error:
            there = []
        for process in there:
            try:
                used = process.cpu_times()
                self._seconds[process.pid, process.create_time()] = used.user + used.system
            except psutil.Error:
                continue
        return sum(self._seconds.values())


def measure(checkout: Path, command: str, rows: list[int]) -> dict[str, float]:
    """Returns the seconds since the start of the process by phase, and CPU seconds as `cpu of PHASE`."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        words = [sys.executable, *shlex.split(command), "--out", str(out)]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        began = time.monotonic()
        said = Path(folder) / "said.txt"  # a pipe that nobody reads would fill
        with said.open("w") as file:
            process = subprocess.Popen(words, cwd=checkout, env=environment, stdout=file, stderr=file)
        tree = Tree(psutil.Process(process.pid))
        waiting = [(f"row {count}", count) for count in rows]

        def note(phase: str) -> None:
            found[phase] = time.monotonic() - began
            found[f"cpu of {phase}"] = tree.look()

        while process.poll() is None:
            told = lines(out / "journal.jsonl")
            if "run folder" not in found and out.is_dir():
                note("run folder")
            while waiting and told >= waiting[0][1]:
                note(waiting.pop(0)[0])
            if "tables" not in found and (out / "best.json").is_file():
                note("tables")
            tree.look()
            time.sleep(POLL_S)
        note("end")
        if process.returncode:
            raise SystemExit(f"{shlex.join(words)} ended with {process.returncode}:\n{said.read_text()}")
    return found


def lines(journal: Path) -> int:
    """Returns how many rows a journal has."""
    if not journal.is_file():
        return 0
    return sum('"tell"' in line for line in journal.read_text(encoding="utf-8").splitlines())


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--command", default="experiments/rea.py --seed 0")
    parser.add_argument(
        "--beside", type=Path, help="another checkout, such as a git worktree of an earlier one"
    )
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 150])
    args = parser.parse_args()
    checkouts = {"this": HERE, **({"beside": args.beside.resolve()} if args.beside else {})}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    for _ in range(args.repeats):
        for name, checkout in checkouts.items():
            runs[name].append(measure(checkout, args.command, args.rows))
            print(
                json.dumps({name: {key: round(value, 2) for key, value in runs[name][-1].items()}}),
                flush=True,
            )
    print(f"\n{'median, seconds':24}" + "".join(f"{name:>10}{'CPU':>10}" for name in checkouts))
    for phase in [key for key in runs["this"][0] if not key.startswith("cpu")]:
        cells = [
            statistics.median(run.get(key, float("nan")) for run in runs[name])
            for name in checkouts
            for key in (phase, f"cpu of {phase}")
        ]
        print(f"{phase:24}" + "".join(f"{cell:10.1f}" for cell in cells))


if __name__ == "__main__":
    main()
