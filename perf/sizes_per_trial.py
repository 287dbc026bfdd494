"""Archs of the size space per second: net by net, and several on slices of one net.

    python perf/sizes_per_trial.py --chunks 32 512 4096

Random archs, one thread, both proxies that can share the beginnings of nets, all ways in one run. The last
line is the whole space.
"""

from __future__ import annotations

import dataclasses
import sys
import time

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table

from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.shared_weights.size_scores import SizeScores
from nas_ray.spaces import NatsSss


@dataclasses.dataclass(frozen=True)
class Args:
    """What is scored."""

    chunks: tuple[int, ...] = (32, 512, 4096)
    """Archs scored together."""
    alone: int = 20
    """Archs scored net by net."""
    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Proxies."""
    batch_size: int = 64
    """Images of the minibatch."""
    whole: bool = False
    """Score the whole space as well."""


def main(args: Args) -> int:
    """Prints archs per second and the ratio to net by net."""
    torch.set_num_threads(1)
    keep_freed_memory()
    space, rng, console = NatsSss(), np.random.default_rng(0), Console()
    inputs, targets = (
        tensor.numpy() for tensor in ImageDataModule("digits", batch_size=args.batch_size).minibatch()
    )
    plain = ProxyScores(space, 10, inputs, targets, resolve_proxies(list(args.proxies)))
    shared = SizeScores(space, 10, inputs, targets, args.proxies)
    plain(space.sample(rng), lambda row: None)
    shared.rows([space.sample(rng)])
    start = time.perf_counter()
    for _ in range(args.alone):
        plain(space.sample(rng), lambda row: None)
    speed = args.alone / (time.perf_counter() - start)
    table = Table("archs together", "archs/s", "ratio")
    table.add_row("1, net by net", f"{speed:.1f}", "1")
    for count in args.chunks:
        found = timed(shared, [space.sample(rng) for _ in range(count)])
        table.add_row(str(count), f"{found:.1f}", f"{found / speed:.1f}")
    if args.whole:
        found = timed(shared, list(space))
        table.add_row(
            f"all {len(space):,} in {len(space) / found:.0f} s", f"{found:.1f}", f"{found / speed:.1f}"
        )
    console.print(table)
    return 0


def timed(shared: SizeScores, archs: list[str]) -> float:
    """Returns archs per second."""
    start = time.perf_counter()
    shared.rows(archs)
    return len(archs) / (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
