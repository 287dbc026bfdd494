"""What a score costs at least on this machine: its arithmetic against measured ceilings.

    python perf/proxy_throughput.py --cores 1 && python perf/floors.py --measured runs/proxy_throughput.csv

Ceilings of one thread: a large matrix product, copies of a large tensor and of one map of 64 images, and the
convolutions of the nets themselves, which may be faster than a matrix product. A floor is the time of the
multiply-adds at the best of these speeds, or that of copying each map once, as one map is copied, whichever
is longer. Archs that are the same count once.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
import tyro
from arithmetic import work
from rich.console import Console
from rich.table import Table

from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.shared_weights.one_by_one import EVERY_RELU, OUTPUT_ONLY

PASSES = {
    "synflow": (2, 1),
    "naswot": (1, 64),
    "jacob_cov": (2, 64),
    "snip": (3, 64),
    "grad_norm": (3, 64),
    "fisher": (3, 64),
}
"""Convolutions of each layer (forward, in inputs, in weights), and images, of a score."""


MAP = "copy of a map of 4 MiB, GB/s"


@dataclasses.dataclass(frozen=True)
class Args:
    """What to compute."""

    measured: Path | None = None
    """CSV of proxy_throughput.py to compare with."""
    out: Path = Path("runs/floors.csv")
    """CSV file to write."""


def rate(run: Callable[[], object], amount: float, rounds: int = 7) -> float:
    """Returns `amount` per second, in 1e9, in the fastest round."""
    run()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return amount / min(seconds) / 1e9


def ceilings() -> dict[str, float]:
    """Returns GFLOP/s of a matrix product and of convolutions, and GB/s of a copy, of one thread."""
    a, big, one = torch.rand(2048, 2048), torch.rand(2**26), torch.rand(64, 16, 32, 32)
    large, small = torch.empty_like(big), torch.empty_like(one)
    found = {
        "matrix product, GFLOP/s": rate(lambda: a @ a, 2 * 2048**3),
        "copy of 256 MiB, GB/s": rate(lambda: large.copy_(big), 2 * 4 * big.numel()),
        MAP: rate(lambda: small.copy_(one), 2 * 4 * one.numel()),
    }
    for channels, size in ((16, 32), (32, 16), (64, 8)):
        x = torch.rand(64, channels, size, size).contiguous(memory_format=torch.channels_last)
        weight = torch.rand(channels, channels, 3, 3).contiguous(memory_format=torch.channels_last)
        operations = 2 * 9 * x.numel() * channels
        name = f"3x3 convolution of {channels} channels on {size}x{size}, GFLOP/s"
        found[name] = rate(lambda x=x, w=weight: F.conv2d(x, w, padding=1), operations)
    return found


def main(args: Args) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    console, found = Console(width=130), ceilings()
    for name, value in found.items():
        console.print(f"{name:60} {value:8.1f}", highlight=False)
    best = max(value for name, value in found.items() if "GFLOP" in name)
    rows = []
    for name, (passes, images) in PASSES.items():
        adds, elements = work(EVERY_RELU if name == "naswot" else OUTPUT_ONLY)
        compute = 2 * adds * passes * images / best / 1e6
        memory = 2 * 4 * elements * passes * images / found[MAP] / 1e6
        rows.append(
            {"proxy": name, "M multiply-adds": adds * passes * images / 1e6,
             "MB of maps": 4 * elements * passes * images / 1e6, "compute ms": compute, "memory ms": memory,
             "floor ms": max(compute, memory)}
        )  # fmt: skip
    table = pd.DataFrame(rows)
    if args.measured:
        times = pd.read_csv(args.measured).query("cores == 1").set_index("proxy")["batched"]
        table["measured ms"] = table["proxy"].map(times)
        table["times floor"] = table["measured ms"] / table["floor ms"]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out, index=False)
    shown = Table(*table.columns, box=None)
    for row in table.itertuples(index=False):
        shown.add_row(row[0], *(f"{value:,.2f}" for value in row[1:]))
    console.print(shown)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,)))
