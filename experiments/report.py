"""Makes one HTML page about a run, or one that compares several, to be opened in any browser.

    python experiments/report.py runs/rea-cifar10-20250101-120000
    python experiments/report.py runs/rea-0 runs/rea-1 runs/random-0 runs/random-1 --out compared.html
    python experiments/report.py runs/space --benchmark nats_tss.csv.gz --out space.html

A run is a folder that a search, score_space.py or correlate.py wrote; a search may still be running. The page
holds all that it needs, so it works without network and can be sent to others: the best archs and their
cells, the course of the search, scores against accuracy, the Pareto front, skip connections, a table of all
rows to sort and search, and everything in run.json. Runs that differ in nothing but seeds become one curve,
the median with its quartiles.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.console import output, tell


@dataclass(frozen=True)
class Args:
    """What to report on."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders, each with a run.json; several are compared."""
    out: Path | None = None
    """File to write; None means report.html in the run folder, and several runs need one."""
    benchmark: str | None = None
    """Source of accuracy, as in the searches: auto, nb201, nats, none, or the path of a table; None means
    what the run itself holds, else the benchmark that it names, else auto."""


def main(args: Args) -> int:
    from nas_ray.drivers.lifecycle import Ending, guarded
    from nas_ray.report.html_report import write_report  # takes seconds

    def work() -> int:
        path = write_report(args.runs, args.out, args.benchmark)
        tell(f"Report: {path} ({path.stat().st_size / 1e6:.1f} MB)")
        return 0

    return guarded(work, Ending("report"), output())


if __name__ == "__main__":
    with reported_errors():
        sys.exit(main(read_args(Args, __doc__)))
