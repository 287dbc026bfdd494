"""The arguments of `experiments/reproduce.py`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from nas_ray.reproduce.published import SCORE_SECONDS


@dataclass(frozen=True)
class ReproduceArgs:
    """Which table, on what data, and how often."""

    table: tyro.conf.Positional[str] = ""
    """Table to run again, or all; --list shows them."""
    show_list: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Show the tables and end."""
    benchmark: str = "auto"
    """Benchmark, as in the searches; most tables need one with 12-epoch or test accuracy."""
    scores_file: Path | None = None
    """Stored scores: a table with columns arch, naswot, synflow and logsynflow, as score_space.py writes."""
    seeds: int = 1_000
    """Runs of every row, with the seeds 0, 1, 2 and so on."""
    score_seconds: float = SCORE_SECONDS
    """Seconds that FreeREA is charged for the scores of one arch."""
    resamples: int = 2_000
    """Draws of the bootstrap."""
    num_cpus: int | None = None
    """Processes to use (default: all cores); the results do not depend on it."""
    out: Path | None = None
    """Folder of tables and pictures (default: runs/reproduce-TIME)."""
