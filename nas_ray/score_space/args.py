"""The arguments of `nas-ray score-space`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nas_ray.images.image_args import DataArgs
from nas_ray.terminal.argument_groups import (
    BenchmarkArgs,
    MinibatchArgs,
    NetSizeArgs,
    OutArgs,
    ProxyArgs,
    ResourceArgs,
    SampleArgs,
    VerboseArgs,
)
from nas_ray.terminal.ranges import SHARES, SOME, Range


@dataclass(frozen=True)
class ScoreArgs(
    VerboseArgs,
    OutArgs,
    ResourceArgs,
    NetSizeArgs,
    MinibatchArgs,
    SampleArgs,
    BenchmarkArgs,
    DataArgs,
    ProxyArgs,
):
    """What to score, on what, and where; equal seeds give equal tables on any number of workers."""

    proxies: tuple[str, ...] = ("synflow", "jacob_cov")
    """Scores to compute: built-in names or your own as module:function, separated by commas or spaces. Your
    own sees one net at a time."""
    dataset: str = "cifar10"
    """Dataset that the nets are built for: cifar10, cifar100 or ImageNet16-120, or own for the classes and
    the size (at most 64 pixels) of folder:PATH or npz:PATH."""
    out: Path | None = None
    """Folder of scores; what it holds is not computed again (default: runs/score-DATASET-TIME)."""
    archs: Path | None = None
    """File of archs: text with one per line, or CSV or Parquet with a column arch (default: the whole
    space)."""
    chunk_size: Annotated[int, SOME] = 64
    """Archs that a worker takes at once, and that a kill can cost at most."""
    precision: str = "float32"
    """float32, or bfloat16 for the convolutions of those proxies whose ranks it keeps (synflow, naswot, snip,
    grad_norm, fisher)."""
    once_per_class: bool = False
    """Score only one of the archs that compute the same function (4,930 of 15,625), by the proxies that see
    nothing else; column scored_as says which."""
    max_memory: Annotated[float | None, Range(0.0, 10**6, above=True)] = None
    """GiB of memory that driver and workers together may take on this machine (default: no limit). A worker
    that scores the heaviest archs is measured first; then fewer archs run at once, or fewer workers."""
    gpus_per_worker: Annotated[float | None, SHARES] = None
    """Share of a GPU for one worker (default: 0.25 where there are GPUs)."""
    top: Annotated[int, SOME] = 10
    """Archs in the list of the best."""
    retry: bool = False
    """Score archs again whose score is undefined, such as after a machine without enough memory."""
