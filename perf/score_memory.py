"""Does memory stay flat while one process scores many archs?

    python perf/score_memory.py --num-archs 2000

Scores archs one after the other with every proxy, as a worker of a search does, and prints resident memory.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import psutil
import torch
import tyro
from rich.console import Console
from rich.table import Table

from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import PROXIES, of_space
from nas_ray.proxies.plugin import resolve_proxies
from nas_ray.searchers import Row
from nas_ray.spaces import NatsTss
from nas_ray.spaces.choice import choose_archs


@dataclasses.dataclass(frozen=True)
class Args:
    """Size of the measurement."""

    num_archs: int = 2000
    """Archs to score."""
    proxies: tuple[str, ...] = tuple(of_space(PROXIES, NatsTss.name))
    """Proxies of each."""
    batch_size: int = 20
    """Images in the minibatch."""
    image_size: int = 8
    """Side of the images in pixels: the middle of digits of 32 x 32."""
    every: int = 200
    """Archs between two measurements."""


def main(args: Args) -> None:
    torch.set_num_threads(1)
    space = NatsTss(channels=4, cells=1)
    inputs, targets = (t.numpy() for t in ImageDataModule("digits", batch_size=args.batch_size).minibatch())
    middle = slice((32 - args.image_size) // 2, (32 + args.image_size) // 2)
    crop = np.ascontiguousarray(inputs[:, :, middle, middle])
    scores = ProxyScores(space, 10, crop, np.arange(len(targets)) % 10, resolve_proxies(args.proxies))
    process, rows = psutil.Process(), list[Row]()
    table = Table("archs", "resident memory in MiB", "rows with an error", box=None)
    for count, arch in enumerate(choose_archs(space, args.num_archs, seed=0), start=1):
        scores(arch, rows.append)
        if count % args.every == 0:
            failed = sum(row["error"] is not None for row in rows)
            table.add_row(f"{count:,}", f"{process.memory_info().rss / 2**20:.0f}", str(failed))
    Console().print(table)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,)))
