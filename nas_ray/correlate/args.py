"""The arguments of `nas-ray correlate`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nas_ray.terminal.ranges import CORES, GPUS, RESAMPLES, SEED, SOME, Range

FEWEST = 10
"""Archs that ranks are compared of, and draws of the bootstrap."""


@dataclass(frozen=True)
class CorrelateArgs:
    """Arguments of the comparison."""

    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Proxies to judge, or your own as module:function; "all" for every built-in one."""
    fitness: tuple[str, ...] = ()
    """Combinations of these proxies to judge as well, such as rank_sum:naswot,synflow."""
    datasets: tuple[str, ...] = ("cifar10", "cifar100", "ImageNet16-120")
    """Datasets of the benchmark."""
    num_archs: Annotated[int, Range(0, 10**9)] = 200
    """Archs to score; 0 for the whole space."""
    stratified: bool = False
    """Take the same number of archs from every tenth by accuracy on the first dataset."""
    images: str = "auto"
    """Images of the minibatch, as in the searches."""
    benchmark: str = "auto"
    """Benchmark, as in the searches."""
    batch_size: Annotated[int, SOME] = 64
    """Images in the minibatch."""
    seed: Annotated[int, SEED] = 0
    """Seed that draws the archs and the bootstrap."""
    init_seed: Annotated[int, SEED] = 0
    """Seed of the weights of every net."""
    batch_seed: Annotated[int, SEED] = 0
    """Seed that draws the minibatch."""
    score_as: str | None = None
    """Score only the nets for this dataset, for every dataset alike (default: each has its own nets)."""
    resamples: Annotated[int, Range(FEWEST, RESAMPLES)] = 500
    """Draws of the bootstrap."""
    num_cpus: Annotated[int | None, CORES] = None
    """CPU cores to use (default: all)."""
    num_gpus: Annotated[int | None, GPUS] = None
    """GPUs to use (default: all)."""
    out: Path | None = None
    """Folder of scores and tables; what it holds is not computed again (default: runs/correlate-TIME)."""
