"""The arguments of `nas-ray correlate`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nas_ray.images.image_args import SourceArgs
from nas_ray.terminal.argument_groups import (
    BenchmarkArgs,
    MachineArgs,
    MinibatchArgs,
    OutArgs,
    ProxyArgs,
    SampleArgs,
    SpaceArgs,
)
from nas_ray.terminal.ranges import RESAMPLES, Range

FEWEST = 10
"""Archs that ranks are compared of, and draws of the bootstrap."""


@dataclass(frozen=True)
class CorrelateArgs(
    OutArgs, MachineArgs, MinibatchArgs, SampleArgs, BenchmarkArgs, SourceArgs, ProxyArgs, SpaceArgs
):
    """Arguments of the comparison."""

    space: str = "nats-tss"
    """Space of the archs; of others than nats-tss and nats-sss those of the table that --benchmark names
    (docs/spaces.md)."""
    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Proxies to judge, or your own as module:function; "all" for every built-in one."""
    num_archs: Annotated[int, Range(0, 10**9)] = 200
    """Archs to score; 0 for the whole space."""
    resamples: Annotated[int, Range(FEWEST, RESAMPLES)] = 500
    """Draws of the bootstrap."""
    out: Path | None = None
    """Folder of scores and tables; what it holds is not computed again (default: runs/correlate-TIME)."""
    fitness: tuple[str, ...] = ()
    """Combinations of these proxies to judge as well, such as rank_sum:naswot,synflow."""
    datasets: tuple[str, ...] = ("cifar10", "cifar100", "ImageNet16-120")
    """Datasets of the benchmark."""
    stratified: bool = False
    """Take the same number of archs from every tenth by accuracy on the first dataset."""
    score_as: str | None = None
    """Score only the nets for this dataset, for every dataset alike (default: each has its own nets)."""
