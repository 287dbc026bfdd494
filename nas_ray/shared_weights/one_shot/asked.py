"""What the setting of a one-shot trial asks for beside a method: a size, or a search without training."""

from __future__ import annotations

import dataclasses

from nas_ray.errors.checks import check_all, whole
from nas_ray.shared_weights.prune import NAMES as PRUNINGS
from nas_ray.shared_weights.prune.named import Pruning, parse_pruning


@dataclasses.dataclass(frozen=True)
class NetSize:
    """How large a supernet is; None for what its space says.

    Raises:
        UsageError: no such number.
    """

    channels: int | None = None
    cells: int | None = None

    def __post_init__(self) -> None:
        check_all({"channels": whole(1).or_none, "cells": whole(1).or_none}, vars(self))


def is_pruning(arch: str) -> bool:
    """Returns whether a setting names a search without training."""
    return arch.partition(",")[0].strip() in PRUNINGS


def pruning_of(arch: str) -> tuple[Pruning, int]:
    """Returns the search without training that a setting names, and its seed.

    Raises:
        UsageError: an unknown option, or a value that does not fit.
    """
    parts = arch.split(",")
    seeds = [part.partition("=")[2] for part in parts if part.strip().startswith("seed=")]
    text = ",".join(part for part in parts if not part.strip().startswith("seed="))
    return parse_pruning(text), int(seeds[0]) if seeds else 0
