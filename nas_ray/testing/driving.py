"""A driver for tests of searchers: no Ray, no evaluation, any number of trials in flight."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch import nn

from nas_ray.searchers import ArchSearcher


class Line:
    """Archs "0" to "n-1" on a line; neighbours are one step away."""

    def __init__(self, size: int = 5) -> None:
        self.size = size

    def sample(self, rng: np.random.Generator) -> str:
        """Returns one of them."""
        return str(rng.integers(self.size))

    def neighbors(self, arch: str) -> list[str]:
        """Returns those one step away."""
        return [str(n) for n in (int(arch) - 1, int(arch) + 1) if 0 <= n < self.size]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a linear net."""
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns one decision, the arch."""
        return (tuple(self),)

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the arch."""
        return (arch,)

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the one decision."""
        return decisions[0]

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[str]:
        return (str(n) for n in range(self.size))

    def __contains__(self, arch: object) -> bool:
        return arch in list(self)


def value_of(arch: str) -> float:
    """Returns a number that tells archs apart and is equal in every process."""
    return float(arch) if arch.isdigit() else float(zlib.crc32(arch.encode()) % 1000)


def drive(
    searcher: ArchSearcher,
    steps: int,
    start: int = 0,
    in_flight: int = 1,
    value: Callable[[str], float] = value_of,
) -> list[str]:
    """Starts up to `steps` trials, `in_flight` pending, each with its `value`; returns what was asked."""
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
            searcher.on_trial_complete(trial, {"x": value(arch)})
    for trial, arch in pending:
        searcher.on_trial_complete(trial, {"x": value(arch)})
    return asked


def drive_rounds(searcher: ArchSearcher, steps: int, in_flight: int) -> None:
    """Starts up to `in_flight` trials of one arch, ends all of them, and so on to `steps` evaluations."""
    searcher.attach(stop=lambda: searcher.num_asked >= steps)
    while True:
        started: list[tuple[str, str]] = []
        while len(started) < in_flight and isinstance(config := searcher.suggest(f"{len(started)}"), dict):
            started.append((f"{len(started)}", config["arch"]))
        if not started:
            break
        for trial, arch in started:
            searcher.on_trial_complete(trial, {"x": value_of(arch)})


def drive_chunks(searcher: ArchSearcher, steps: int, archs_per_trial: int) -> list[list[str]]:
    """Runs trials of several archs, one after the other, until `steps` archs were asked for; returns them."""
    chunks: list[list[str]] = []
    searcher.attach(stop=lambda: searcher.num_asked >= steps, archs_per_trial=archs_per_trial)
    while isinstance(config := searcher.suggest(f"c{len(chunks)}"), dict):
        chunks.append(config["archs"])
        rows = [{"x": value_of(arch)} for arch in config["archs"]]
        searcher.on_trial_complete(f"c{len(chunks) - 1}", {"rows": rows})
    return chunks
