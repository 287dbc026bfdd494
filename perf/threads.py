"""Workers and threads: archs per second of every split of the cores.

    python perf/threads.py

Every worker is a process that scores archs one by one, as a trial does; all start at a barrier. A trial has
one thread per core that it reserves, and reserves one: the line of as many workers as cores, one thread each.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import sys
import time
from typing import Any

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table

from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.spaces import NatsTss


@dataclasses.dataclass(frozen=True)
class Args:
    """What is scored."""

    archs: int = 24
    """Archs of each worker."""
    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Proxies."""
    batch_size: int = 64
    """Images of the minibatch."""
    rounds: int = 3
    """Times that every split is measured; the best counts."""


def work(args: Args, threads: int, seed: int, start: Any, seconds: Any) -> None:
    """Scores the archs once all workers are ready, and says how long it took."""
    torch.set_num_threads(threads)
    space, rng = NatsTss(), np.random.default_rng(seed)
    images = ImageDataModule("digits", batch_size=args.batch_size).minibatch()
    inputs, targets = (tensor.numpy() for tensor in images)
    score = ProxyScores(space, 10, inputs, targets, resolve_proxies(list(args.proxies)))
    score(space.sample(rng), lambda row: None)
    start.wait()
    began = time.perf_counter()
    for _ in range(args.archs):
        score(space.sample(rng), lambda row: None)
    seconds.put(time.perf_counter() - began)


def measure(args: Args, workers: int, threads: int) -> float:
    """Returns archs per second of all workers together."""
    context = multiprocessing.get_context("spawn")
    start, seconds = context.Barrier(workers), context.Queue()
    processes = [
        context.Process(target=work, args=(args, threads, seed, start, seconds)) for seed in range(workers)
    ]
    for process in processes:
        process.start()
    slowest = max(seconds.get() for _ in processes)
    for process in processes:
        process.join()
    return workers * args.archs / slowest


def main(args: Args) -> int:
    """Prints a line per split."""
    cores = os.cpu_count() or 1
    counts = sorted({1, cores, 2 * cores})
    splits = [(w, t) for w in counts for t in sorted({1, cores}) if w * t <= 2 * cores * cores]
    best = dict.fromkeys(splits, 0.0)
    for _ in range(args.rounds):
        for split in splits:
            best[split] = max(best[split], measure(args, *split))
    reference = best[cores, 1]
    table = Table("workers", "threads each", "archs/s", f"times {cores} workers of one thread")
    for (workers, threads), speed in best.items():
        table.add_row(str(workers), str(threads), f"{speed:.1f}", f"{speed / reference:.2f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Args, description=__doc__)))
