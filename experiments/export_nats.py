"""Turns the official NATS-Bench directory into one table of a few MB, in one pass with flat memory.

    python experiments/export_nats.py NATS-tss-v1_0-3ffb9-simple --out nats_tss.parquet
    python experiments/rea.py --benchmark nats_tss.parquet
    python experiments/export_nats.py NATS-sss-v1_0-50262-simple --out nats_sss.parquet
    python experiments/rea.py --space nats-sss --benchmark nats_sss.parquet

The table holds every arch of the space: accuracy and seconds on all three datasets. Nothing in the archives
is run as code.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
import tyro
from rich.progress import track

from nas_ray.benchmarks.export import export_rows
from nas_ray.benchmarks.nats import find_archives
from nas_ray.benchmarks.table import check_writable, write_table
from nas_ray.drivers.lifecycle import Ending, guarded
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.console import error_console, output, tell
from nas_ray.terminal.ranges import HERE


@dataclass
class Args:
    """Options of the export."""

    directory: tyro.conf.Positional[Path]
    """The unpacked official directory of either space ("simple" archives)."""
    out: Path = Path("nats_tss.parquet")
    """Table to write; the name ends in .parquet, .csv or .csv.gz."""
    allow_missing: bool = False
    """Export the archives that are there; such a table is for inspection, `--benchmark` wants all archs."""
    workers: Annotated[int, HERE] = 1
    """Processes that read archives."""


def main(args: Args) -> int:
    check_writable(args.out)
    space, found = find_archives(
        args.directory, allow_missing=args.allow_missing, allow="add --allow-missing"
    )
    rows = export_rows(args.directory, allow_missing=args.allow_missing, workers=args.workers)
    console = error_console()
    frame = pd.DataFrame(track(rows, "Reading archives", total=len(found), console=console))
    write_table(frame, args.out)
    tell(f"{args.out}: {len(frame)} archs of {space.name}, {args.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    with reported_errors():
        args = read_args(Args, __doc__)
        sys.exit(guarded(lambda: main(args), Ending("export"), output()))
