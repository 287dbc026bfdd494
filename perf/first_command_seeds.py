"""What the first command finds, live, with many seeds: ranks in the table, and how long it takes.

    python perf/first_command_seeds.py ~/seeds                                  # seeds 0 to 49
    python perf/first_command_seeds.py ~/other --command "experiments/rea.py --dataset cifar100" --seeds 0..9

A seed after the other, each by a process of its own. The folder keeps what is finished, so the same command
goes on where it was stopped; with another checkout or command it needs another folder, which is outside the
checkout, as what is measured must not change meanwhile. Time is counted where the machine does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
FIRST = "experiments/rea.py"
TOP = 0.01
"""The share of the table in which what is found should be."""
ABOUT, SECONDS = "about.json", "seconds.json"
"""What a folder is of, and how long the command of a seed took."""


def seeds_of(text: str) -> list[int]:
    """Returns the seeds that `0..49` or `7` means."""
    first, dots, last = text.partition("..")
    try:
        return list(range(int(first), int(last if dots else first) + 1))
    except ValueError:
        raise SystemExit(f"--seeds must be a number or FIRST..LAST, such as 0..49, got {text!r}.") from None


def opened(folder: Path, command: str) -> None:
    """Makes the folder, or checks that it is of this command.

    Raises:
        SystemExit: it is in the checkout, or of something else.
    """
    if folder.resolve().is_relative_to(HERE):
        raise SystemExit(f"The folder must be outside of the checkout, got {folder}; take another place.")
    about = {"command": command, "commit": commit()}
    file = folder / ABOUT
    if not file.exists() and folder.is_dir() and any(folder.iterdir()):
        raise SystemExit(f"{folder} must be empty or made by this script; take another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else about
    if known != about:
        raise SystemExit(f"{folder} is of {known}, and this is {about}; take another folder.")
    file.write_text(json.dumps(about), encoding="utf-8")


def commit() -> str:
    """Returns the commit of the checkout, and whether something in it is changed."""
    words = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(words, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def found_by(folder: Path, command: str, seed: int) -> dict[str, Any]:
    """Returns what the command finds with a seed, as `best.json` says it, and `wall`, its seconds.

    It is run unless that is kept already; half a run begins anew.

    Raises:
        SystemExit: the command failed.
    """
    run = folder / f"seed-{seed}"
    if not (run / SECONDS).exists():
        shutil.rmtree(run, ignore_errors=True)
        words = [sys.executable, *shlex.split(command), "--seed", str(seed), "--out", str(run)]
        began = time.monotonic()
        done = subprocess.run(
            words, cwd=HERE, env={**os.environ, "PYTHONPATH": str(HERE)}, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{shlex.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        (run / SECONDS).write_text(
            json.dumps(time.monotonic() - began), encoding="utf-8"
        )  # last: it is whole
    wall = json.loads((run / SECONDS).read_text(encoding="utf-8"))
    return {**json.loads((run / "best.json").read_text(encoding="utf-8")), "wall": wall}


def summary(found: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Returns what many seeds come to, in lines; what the table does not know counts as its worst."""
    ranks = {seed: one["rank"] for seed, one in found.items() if one.get("rank") is not None}
    if not ranks:
        return [f"None of {len(found)} seeds found an arch that the table knows."]
    num_archs = next(found[seed]["num_archs"] for seed in ranks)
    edge = max(1, int(num_archs * TOP))
    inside = sum(rank <= edge for rank in ranks.values())
    middle = statistics.median([*ranks.values(), *[num_archs] * (len(found) - len(ranks))])
    worst = max(ranks, key=lambda seed: ranks[seed])
    walls = sorted(one["wall"] for one in found.values())
    accuracies = [found[seed]["accuracy"] for seed in ranks]
    known = found[worst]
    return [
        f"found archs in the best {TOP:.0%} (rank {edge} or better): {inside} of {len(found)}",
        f"median rank {middle:g} of {num_archs} (best {100 * middle / num_archs:.2g} %), "
        f"worst {ranks[worst]} (seed {worst})",
        f"{known['acc_column']}: median {statistics.median(accuracies):.2f}, worst {min(accuracies):.2f}, "
        f"best of all archs {known['benchmark_best_accuracy']:.2f} ({known['acc_source']})",
        f"seconds of a command: median {statistics.median(walls):.1f}, {walls[0]:.1f} to {walls[-1]:.1f}",
    ]


def main() -> None:
    """Runs what is not kept, and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where finished seeds are kept, outside of the checkout")
    parser.add_argument("--command", default=FIRST, help="without --seed and --out")
    parser.add_argument("--seeds", default="0..49")
    args = parser.parse_args()
    seeds = seeds_of(args.seeds)
    folder = args.folder.expanduser()
    opened(folder, args.command)
    found = {}
    for seed in seeds:
        found[seed] = one = found_by(folder, args.command, seed)
        print(f"seed {seed}: rank {one.get('rank')}, {one['wall']:.1f} s, {one['arch']}", flush=True)
    print("\n".join(["", *summary(found)]))


if __name__ == "__main__":
    main()
