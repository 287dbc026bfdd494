"""The arguments that several commands share, each once, with its text and its range; a light module.

A command's arguments are a dataclass that inherits the groups that it takes, so its attributes are flat.
Groups are named in the reverse order of `--help`, as dataclasses collect fields. A function takes the
smallest group that it needs. Where a command has another default or more to say, its class gives the field
again; that is the one way, and a test counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from nas_ray.terminal import ranges


@dataclass(frozen=True)
class MachineArgs:
    """What of the machine is used."""

    num_gpus: Annotated[int | None, ranges.GPUS] = None
    """GPUs to use; None means all there are."""
    num_cpus: Annotated[int | None, ranges.CORES] = None
    """CPU cores to use; None means all there are."""


@dataclass(frozen=True)
class ResourceArgs(MachineArgs):
    """What of a machine or a cluster is used; `drivers.resources.request_of` makes a request of it."""

    wait_for_gpus: Annotated[float, ranges.WAIT] = 0.0
    """Seconds to wait for --num-gpus on a cluster whose nodes start on demand; it is asked to start them."""
    address: str | None = None
    """Ray cluster to join, such as auto or HOST:6379 (docs/cluster.md); None means the variable RAY_ADDRESS,
    else this machine alone."""


@dataclass(frozen=True)
class BatchArgs:
    """How large the minibatch is."""

    batch_size: Annotated[int, ranges.SOME] = 64
    """Images in the minibatch."""


@dataclass(frozen=True)
class MinibatchArgs(BatchArgs):
    """What scores are computed on: images and weights."""

    init_seed: Annotated[int, ranges.SEED] = 0
    """Seed of the weights of every net."""
    batch_seed: Annotated[int, ranges.SEED] = 0
    """Seed that draws the minibatch."""


@dataclass(frozen=True)
class ProxyArgs:
    """Which scores."""

    proxies: tuple[str, ...] = ("naswot", "synflow")
    """Scores to compute: built-in names or your own as module:function, separated by commas or spaces."""


@dataclass(frozen=True)
class BenchmarkArgs:
    """Where accuracy comes from."""

    benchmark: str = "auto"
    """Source of the final accuracy: auto, nb201, nats, none, an official NATS-Bench directory, or a table in
    CSV or Parquet."""


@dataclass(frozen=True)
class CostArgs:
    """What is maximised at once, and where the costs among it come from."""

    objectives: str | None = None
    """Several things to maximise at once, separated by commas, a minus in front of what is to be small, such
    as accuracy,-latency:pixel2: an accuracy, scores that are computed, or costs of --costs. Searchers that
    maximise
    several things are nsga2, pareto_local_search and random_weights."""
    costs: tuple[str, ...] = ()
    """Tables of costs of all archs, each as TABLE or NAME=TABLE, joined by arch, by index or by their order;
    a column is called NAME:COLUMN, and NAME is else the last word of the file's name."""


@dataclass(frozen=True)
class StoredScoreArgs(BenchmarkArgs):
    """Where accuracy and scores come from, where nothing is computed."""

    scores_file: tuple[Path, ...] = ()
    """Stored scores: a table with column arch and one per score, as score-space writes. Several tables are
    several initialisations."""


@dataclass(frozen=True)
class SpaceArgs:
    """Which archs."""

    space: str = "nats-tss"
    """Search space, or your own as module:class. Some have options, as in darts:channels=36,cells=20
    (docs/spaces.md). Settings of the recipe may stand beside its archs, as in nats-tss@lr=log:0.01..1
    (docs/hyper_parameters.md)."""


@dataclass(frozen=True)
class FoundArgs:
    """Which arch, mostly one that a search has found."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Run folder of a search, whose best arch is trained on the images of that search."""
    arch: str | None = None
    """Arch to train instead, or the name of a hand-designed net such as resnet-20."""


@dataclass(frozen=True)
class LimitArgs:
    """Which archs are searched among."""

    max_params: Annotated[float | None, ranges.COST] = None
    """Most parameters of an arch, such as 1e6; None means no limit."""
    max_flops: Annotated[float | None, ranges.COST] = None
    """Most multiply-adds of an arch for one image, such as 1e8; None means no limit."""


@dataclass(frozen=True)
class NetSizeArgs:
    """How large the nets of NATS-TSS are."""

    channels: Annotated[int, ranges.CHANNELS] = 16
    """Width of the first stage of the nets."""
    cells: Annotated[int, ranges.CELLS] = 5
    """Cells in each of the three stages."""


@dataclass(frozen=True)
class TogetherArgs:
    """How many archs at once."""

    archs_per_trial: Annotated[int, ranges.SOME] = 1
    """Archs of one trial, scored together on the weights of one supernet, which is much faster. To the
    searcher they are as many parallel workers: it asks for all of them before it sees a row of any, so 32
    with --max-concurrent 2 is a search with 64 workers. Needs nats-tss, nats-sss or a space that says how;
    proxies of your own gain nothing (docs/batched.md)."""


@dataclass(frozen=True)
class BootstrapArgs:
    """How sure figures are."""

    resamples: Annotated[int, ranges.Range(2, ranges.RESAMPLES)] = 500
    """Draws of the bootstrap."""


@dataclass(frozen=True)
class SampleArgs(BootstrapArgs):
    """Which archs of a list are scored."""

    num_archs: Annotated[int, ranges.Range(0, 10**9)] = 0
    """Archs to score, a seeded sample; 0 for all."""
    seed: Annotated[int, ranges.SEED] = 0
    """Seed that draws the archs and the bootstrap."""


@dataclass(frozen=True)
class VerboseArgs:
    """What is said."""

    verbose: bool = False
    """Show the messages of Ray and Lightning."""


@dataclass(frozen=True)
class OutArgs:
    """Where results go."""

    out: str | Path | None = None
    """Run folder to make, here or on a storage such as s3://bucket/runs/rea-0 or gs://bucket/runs/rea-0
    (docs/cluster.md); None means runs/NAME-DATASET-TIME."""


@dataclass(frozen=True)
class RunArgs(VerboseArgs, OutArgs):
    """Where a run goes that can be resumed by its folder."""

    resume: str | Path | None = None
    """Run folder to continue, here or on a storage; its arguments are taken over but for the --address of a
    cluster, and only limits and resources may be changed."""
