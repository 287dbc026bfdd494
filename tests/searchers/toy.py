"""Small spaces and a driver without Ray, for tests of searchers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import nn

from nas_ray.searchers import ArchSearcher


class Line:
    """Archs "0" to "n-1" on a line; neighbours are one step away."""

    def __init__(self, size: int = 5) -> None:
        self.size = size

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.integers(self.size))

    def neighbors(self, arch: str) -> list[str]:
        return [str(n) for n in (int(arch) - 1, int(arch) + 1) if 0 <= n < self.size]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[str]:
        return (str(n) for n in range(self.size))

    def __contains__(self, arch: object) -> bool:
        return arch in list(self)


def drive(searcher: ArchSearcher, steps: int, start: int = 0, in_flight: int = 1) -> list[str]:
    """Runs `steps` suggestions, `in_flight` pending, each scored by its number; returns what was asked."""
    asked: list[str] = []
    pending: list[tuple[str, str]] = []
    for number in range(start, start + steps):
        config = searcher.suggest(f"t{number}")
        if not isinstance(config, dict):
            break
        asked.append(config["arch"])
        pending.append((f"t{number}", config["arch"]))
        if len(pending) >= in_flight:
            trial, arch = pending.pop(0)
            searcher.on_trial_complete(trial, {"x": float(arch) if arch.isdigit() else float(len(arch))})
    for trial, arch in pending:
        searcher.on_trial_complete(trial, {"x": float(arch) if arch.isdigit() else float(len(arch))})
    return asked
