"""Everything that must be seen on a GPU, in at most nine minutes: speed, memory, equality, failures.

    python perf/gpu_check.py --benchmark ../shared/data/nats_tss.csv.gz
    python perf/gpu_check.py --device cpu --tiny                         # that all of it runs

Every part runs in a process of its own with a limit of its own, and prints a line as soon as it is done.
Results are in `gpu_check.json` and `gpu_check.md` after each part, what a part printed is in `NAME.txt` of
its folder, and --write FILE puts the tables into a document. Small or random images show speed and equality,
never accuracy.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # asks without taking the GPU

import torch
import tyro
from gpu.runner import PARTS, Result, run_part
from gpu.setup import Setup
from gpu.summary import insert, write_results

from nas_ray.errors import UsageError, unknown_name


@dataclasses.dataclass(frozen=True)
class Args:
    """What is checked, and where."""

    device: str = "cuda"
    """cuda or cpu."""
    tiny: bool = False
    """As little as possible of everything."""
    parts: tuple[str, ...] = tuple(PARTS)
    """Parts to run, in this order."""
    minutes: float = 9.0
    """Minutes for all parts together; what has no time left is left out."""
    images: str = "digits"
    """Images, as in the searches."""
    benchmark: str = "none"
    """Benchmark, as in the searches."""
    out: Path = Path("runs/gpu_check")
    """Folder of the results."""
    write: Path | None = None
    """Document to put the tables into; only from a GPU."""


SLOWER = 6
"""A limit of a part on the CPU, which may be busy, is so many times that on a GPU."""
SHORTEST_S = 10.0
"""A part that has less time is left out."""


def check(args: Args) -> None:
    """Raises a UsageError where something in `args` cannot work."""
    if args.device not in ("cuda", "cpu"):
        raise UsageError(f"--device must be cuda or cpu, got {args.device}.")
    if args.device == "cuda" and not torch.cuda.device_count():
        raise UsageError("--device cuda needs a GPU, and torch sees none; try --device cpu --tiny.")
    for name in args.parts:
        if name not in PARTS:
            raise UsageError(unknown_name("part", name, list(PARTS)))
    if args.write and args.device == "cpu":
        raise UsageError("--write needs --device cuda: tables of a CPU say nothing of a GPU.")


def main(args: Args) -> int:
    """Runs the parts; returns 0 where all are done."""
    check(args)
    on_cpu = args.device == "cpu"
    end = time.monotonic() + 60 * args.minutes * (SLOWER if on_cpu else 1)
    args.out.mkdir(parents=True, exist_ok=True)
    about = {"time": time.strftime("%Y-%m-%d %H:%M"), "device": args.device, "tiny": args.tiny}
    results: list[Result] = []
    for name in args.parts:
        seconds = min(PARTS[name][1] * (SLOWER if on_cpu else 1), end - time.monotonic())
        if seconds < SHORTEST_S:
            results.append(Result(name, said=["no time was left"]))
        else:
            folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=args.out.resolve()))
            setup = Setup(args.device, args.tiny, args.images, args.benchmark, folder, seconds)
            results.append(run_part(name, setup, "fork" if on_cpu else "spawn"))
        print(results[-1].line(), flush=True)
        write_results(args.out, results, about)
    if args.write:
        insert(args.write, results)
    return 0 if all(result.status == "done" for result in results) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,))))
    except UsageError as error:
        sys.exit(f"error: {error}")
