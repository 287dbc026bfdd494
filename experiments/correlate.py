"""How well do proxies rank? Scores a set of archs and compares the scores with a benchmark on each dataset.

    python experiments/correlate.py --num-archs 1000 --out runs/correlate
    python experiments/correlate.py --proxies naswot synflow mine:depth --datasets cifar10 --num-archs 200
    python experiments/correlate.py --proxies naswot synflow --fitness rank_sum:naswot,synflow

The same command goes on where it was stopped, and with one more proxy it computes that one alone. The trivial
baselines params, flops and num_conv are always in the table.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path

import tyro
from rich.console import Console

from nas_ray.cli import reported_errors


@dataclasses.dataclass(frozen=True)
class Args:
    """Arguments of the comparison."""

    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Proxies to judge, or your own as module:function; "all" for every built-in one."""
    fitness: tuple[str, ...] = ()
    """Combinations of these proxies to judge as well, such as rank_sum:naswot,synflow."""
    datasets: tuple[str, ...] = ("cifar10", "cifar100", "ImageNet16-120")
    """Datasets of the benchmark."""
    num_archs: int = 200
    """Archs to score; 0 for the whole space."""
    stratified: bool = False
    """Take the same number of archs from every tenth by accuracy on the first dataset."""
    images: str = "auto"
    """Images of the minibatch, as in the searches."""
    benchmark: str = "auto"
    """Benchmark, as in the searches."""
    batch_size: int = 64
    """Images in the minibatch."""
    seed: int = 0
    """Seed that draws the archs and the bootstrap."""
    init_seed: int = 0
    """Seed of the weights of every net."""
    batch_seed: int = 0
    """Seed that draws the minibatch."""
    score_as: str | None = None
    """Score only the nets for this dataset, for every dataset alike (default: each has its own nets)."""
    resamples: int = 500
    """Draws of the bootstrap."""
    num_cpus: int | None = None
    """CPU cores to use (default: all)."""
    num_gpus: int | None = None
    """GPUs to use (default: all)."""
    out: Path | None = None
    """Folder of scores and tables; what it holds is not computed again (default: runs/correlate-TIME)."""


def main(args: Args) -> None:
    from nas_ray.correlate import compare_all  # torch, Ray and Lightning take seconds

    out = args.out or Path("runs") / f"correlate-{time.strftime('%Y%m%d-%H%M%S')}"
    console = Console(width=None if sys.stdout.isatty() else 120)
    compare_all(**{**dataclasses.asdict(args), "out": out}, console=console)


if __name__ == "__main__":
    with reported_errors():
        main(tyro.cli(Args, description=__doc__, config=(tyro.conf.FlagCreatePairsOff,)))
