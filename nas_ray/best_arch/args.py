"""The arguments of `nas-ray best-arch`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nas_ray.images.image_args import DataArgs
from nas_ray.terminal.argument_groups import BatchArgs, BenchmarkArgs, NetSizeArgs, OutArgs, ResourceArgs
from nas_ray.terminal.ranges import Range


@dataclass(frozen=True)
class BestArgs(OutArgs, ResourceArgs, NetSizeArgs, BatchArgs, BenchmarkArgs, DataArgs):
    """What to find, on what, and how often."""

    out: Path | None = None
    """Folder of the table of runs (default: runs/best-DATASET-TIME)."""
    runs: Annotated[int, Range(1, 10_000)] = 1
    """Runs, each with weights and images of its own seed. Runs that --out holds already are not made again,
    so that the same command goes on after an interruption."""
    seed: Annotated[int, Range(0, 2**62)] = 0
    """Seed of the first run; the next have the next seeds."""
