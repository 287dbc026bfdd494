"""The arguments of `nas-ray record`; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nas_ray.terminal.argument_groups import OutArgs, StoredScoreArgs


@dataclass(frozen=True)
class RecordArgs(OutArgs, StoredScoreArgs):
    """Which rule, and on what it is judged."""

    space: str = "nats-tss"
    """nats-tss, or nats-sss, whose rule needs no stored scores and whose --benchmark is a table that may hold
    a part of the space."""
    scores_file: tuple[Path, ...] = ()
    """Stored scores of the whole space in folders of score-space, one table per initialisation; which dataset
    a table is for is read from run.json beside it. Datasets with images of one size may share tables."""
    rule_file: Path | None = None
    """Rule to judge, as choose-score --for-ranks writes it (default: that of the package)."""
    chosen_on: Path | None = None
    """For nats-sss, the table that the rule was chosen with (default: --benchmark). Half of its archs were
    used for the choice; the others, and the archs that are not in it, are judged apart."""
    out: Path | None = None
    """Folder of the tables (default: runs/record-SPACE-TIME)."""
