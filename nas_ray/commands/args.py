"""The arguments of the commands that are no experiment; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from nas_ray.terminal.ranges import HERE


@dataclass(frozen=True)
class ReportArgs:
    """What to report on."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders, each with a run.json; several are compared. Or folders of a tune.Tuner, or tables."""
    out: Path | None = None
    """File to write; None means report.html in the run folder, and several runs need one."""
    benchmark: str | None = None
    """Source of accuracy, as in the searches: auto, nb201, nats, none, or the path of a table; None means
    what the run itself holds, else the benchmark that it names, else auto."""
    fitness: str | None = None
    """What decides among trials of a tune.Tuner or rows of a table, such as loss or rank_sum:a,b; None for
    valid_acc, else all scores. Runs of nas-ray say it themselves."""
    mode: Literal["max", "min"] = "max"
    """Whether that is best where it is largest or smallest."""
    dataset: str = "cifar10"
    """Dataset of --benchmark for these: cifar10, cifar100 or ImageNet16-120."""


@dataclass(frozen=True)
class PredictArgs:
    """Which net, and of which images."""

    model: tyro.conf.Positional[Path]
    """model.pt of a training, or its folder."""
    files: tyro.conf.Positional[tuple[Path, ...]]
    """Images, or folders of them."""
    out: Path | None = None
    """Table to write, in CSV; None means that it is printed alone."""
    space: str | None = None
    """Your own space as module:class, where the net is of one."""
    skip_unreadable: bool = False
    """Leave out the files that cannot be decoded, and list them; otherwise they are an error."""


@dataclass(frozen=True)
class ExportArgs:
    """Options of the export."""

    directory: tyro.conf.Positional[Path]
    """The unpacked official directory of either space ("simple" archives)."""
    out: Path = Path("nats_tss.parquet")
    """Table to write; the name ends in .parquet, .csv or .csv.gz."""
    allow_missing: bool = False
    """Export the archives that are there; such a table is for inspection, `--benchmark` wants all archs."""
    workers: Annotated[int, HERE] = 1
    """Processes that read archives."""
