"""Small spaces and a driver without Ray, for tests of searchers."""

from __future__ import annotations

import inspect
import itertools
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

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

    def choices(self) -> tuple[tuple[str, ...], ...]:
        return (tuple(self),)

    def decisions(self, arch: str) -> tuple[str, ...]:
        return (arch,)

    def assemble(self, decisions: Sequence[str]) -> str:
        return decisions[0]

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[str]:
        return (str(n) for n in range(self.size))

    def __contains__(self, arch: object) -> bool:
        return arch in list(self)


class Grid:
    """Archs "abc" of three decisions with four options each; all but the first go into one node."""

    def sample(self, rng: np.random.Generator) -> str:
        return "".join(str(n) for n in rng.integers(4, size=3))

    def neighbors(self, arch: str) -> list[str]:
        return [other for other in self if sum(a != b for a, b in zip(arch, other, strict=True)) == 1]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))

    def choices(self) -> tuple[tuple[str, ...], ...]:
        return (tuple("0123"),) * 3

    def decisions(self, arch: str) -> tuple[str, ...]:
        return tuple(arch)

    def assemble(self, decisions: Sequence[str]) -> str:
        return "".join(decisions)

    def groups(self) -> tuple[tuple[int, ...], ...]:
        return (0,), (1, 2)

    def __len__(self) -> int:
        return 4**3

    def __iter__(self) -> Iterator[str]:
        return ("".join(options) for options in itertools.product("0123", repeat=3))

    def __contains__(self, arch: object) -> bool:
        return arch in list(self)


class Script:
    """Stands in for a random generator: returns the numbers that a test wrote down."""

    def __init__(self, *numbers: object) -> None:
        self.numbers = list(numbers)

    def integers(self, high: int, size: int | None = None) -> object:
        number = self.numbers.pop(0)
        drawn = number if isinstance(number, list) else [number]
        assert len(drawn) == (size or 1)
        assert all(0 <= n < high for n in drawn)
        return np.array(drawn) if size else number

    def choice(self, high: int, size: int | None = None, replace: bool = True, p: object = None) -> object:
        drawn = self.integers(high, size)
        assert replace or len(set(np.atleast_1d(drawn))) == (size or 1)
        return drawn

    def random(self, size: int | None = None) -> object:
        number = self.numbers.pop(0)
        assert np.size(number) == (size or 1)
        return np.array(number) if size else number

    def permutation(self, size: int) -> np.ndarray:
        drawn = self.numbers.pop(0)
        assert isinstance(drawn, list)
        assert sorted(drawn) == list(range(size))
        return np.array(drawn)


def by_length(archs: Sequence[str]) -> list[float]:
    """A cheap score: the fitness of `drive`."""
    return [float(arch) if arch.isdigit() else float(len(arch)) for arch in archs]


def options_of(make: type[ArchSearcher]) -> dict[str, Any]:
    """The options that `make` cannot do without."""
    taken = {name for kind in make.__mro__ for name in inspect.signature(kind).parameters}
    return {"proxy": by_length} if "proxy" in taken else {}


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


def drive_chunks(searcher: ArchSearcher, steps: int, archs_per_trial: int) -> list[list[str]]:
    """Runs trials of several archs, one after the other, until `steps` archs were asked for; returns them."""
    chunks: list[list[str]] = []
    searcher.attach(stop=lambda: searcher.num_asked >= steps, archs_per_trial=archs_per_trial)
    while isinstance(config := searcher.suggest(f"c{len(chunks)}"), dict):
        chunks.append(config["archs"])
        rows = [{"x": value_of(arch)} for arch in config["archs"]]
        searcher.on_trial_complete(f"c{len(chunks) - 1}", {"rows": rows})
    return chunks


def value_of(arch: str) -> float:
    """Returns a number that tells archs apart and is equal in every process."""
    return float(arch) if arch.isdigit() else float(zlib.crc32(arch.encode()) % 1000)
