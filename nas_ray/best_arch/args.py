"""The arguments of `nas-ray best-arch`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nas_ray.terminal.ranges import CELLS, CHANNELS, CORES, GPUS, SOME, WAIT, Range


@dataclass(frozen=True)
class BestArgs:
    """What to find, on what, and how often."""

    runs: Annotated[int, Range(1, 10_000)] = 1
    """Runs, each with weights and images of its own seed. Runs that --out holds already are not made again,
    so that the same command goes on after an interruption."""
    seed: Annotated[int, Range(0, 2**62)] = 0
    """Seed of the first run; the next have the next seeds."""
    dataset: str = "cifar10"
    """Dataset that the nets are built for: cifar10, cifar100 or ImageNet16-120."""
    images: str = "auto"
    """Images of the minibatch, as in the searches."""
    benchmark: str = "auto"
    """Benchmark that says how accurate the best archs are, as in the searches; none to leave it out."""
    batch_size: Annotated[int, SOME] = 64
    """Images in the minibatch."""
    channels: Annotated[int, CHANNELS] = 16
    """Width of the first stage of the nets."""
    cells: Annotated[int, CELLS] = 5
    """Cells in each of the three stages."""
    num_cpus: Annotated[int | None, CORES] = None
    """CPU cores to use (default: all)."""
    num_gpus: Annotated[int | None, GPUS] = None
    """GPUs to use (default: all)."""
    wait_for_gpus: Annotated[float, WAIT] = 0.0
    """Seconds to wait for the GPUs of --num-gpus, where a cluster starts its nodes on demand."""
    address: str | None = None
    """Ray cluster to join, such as auto or HOST:6379 (default: RAY_ADDRESS, else this machine alone)."""
    out: Path | None = None
    """Folder of the table of runs (default: runs/best-DATASET-TIME)."""
