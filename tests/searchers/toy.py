"""Small spaces and a driver without Ray, for tests of searchers."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.searchers import ArchSearcher
from nas_ray.spaces import END, sample_sequence
from nas_ray.testing import driving
from nas_ray.testing.driving import Line as Line
from nas_ray.testing.driving import drive_chunks as drive_chunks
from nas_ray.testing.driving import value_of as value_of


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


class Word:
    """Archs of so many letters from "a" to "e"."""

    LETTERS = tuple("abcde")

    def __init__(self, letters: int) -> None:
        self.letters = letters

    def choices(self) -> tuple[tuple[str, ...], ...]:
        return (self.LETTERS,) * self.letters

    def decisions(self, arch: str) -> tuple[str, ...]:
        return tuple(arch)

    def assemble(self, decisions: Sequence[str]) -> str:
        return "".join(decisions)

    def sample(self, rng: np.random.Generator) -> str:
        return "".join(rng.choice(self.LETTERS, self.letters))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))


class Cells:
    """Cells of one to three blocks, each the sum of two operations "a" or "b" on what came before it.

    The arch "0a1b|0a2a" has two blocks; the inputs of a cell are 0 and 1, its first block is 2. The halves of
    a block are in order, so that equal blocks read alike.
    """

    OPS, MOST = "ab", 3
    sample = sample_sequence

    def blocks(self, arch: str) -> int:
        return len(arch.split("|"))

    def one_block(self) -> list[str]:
        return self._longer([])

    def grown(self, arch: str) -> list[str]:
        return self._longer(arch.split("|")) if self.blocks(arch) < self.MOST else []

    def _longer(self, blocks: list[str]) -> list[str]:
        halves = [f"{place}{op}" for place in range(2 + len(blocks)) for op in self.OPS]
        pairs = itertools.combinations_with_replacement(halves, 2)
        return ["|".join([*blocks, "".join(pair)]) for pair in pairs]

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        blocks, place = divmod(len(prefix), 4)
        ends = (END,) if blocks and not place else ()
        if blocks == self.MOST:
            return ends
        return (*(tuple(self.OPS) if place % 2 else tuple("01234"[: 2 + blocks])), *ends)

    def decisions(self, arch: str) -> tuple[str, ...]:
        return tuple(arch.replace("|", ""))

    def assemble(self, decisions: Sequence[str]) -> str:
        if not decisions or len(decisions) % 4:
            raise UsageError(f"A cell has whole blocks, got {decisions}.")
        halves = ["".join(decisions[start : start + 2]) for start in range(0, len(decisions), 2)]
        pairs = (sorted(halves[start : start + 2]) for start in range(0, len(halves), 2))
        return "|".join("".join(pair) for pair in pairs)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))


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


def length_of(arch: str) -> float:
    """Returns the number that an arch is, or how long it is."""
    return float(arch) if arch.isdigit() else float(len(arch))


drive = partial(driving.drive, value=length_of)
"""Runs trials, each with its `length_of`."""


def by_length(archs: Sequence[str]) -> list[float]:
    """A cheap score: the fitness of `drive`."""
    return [length_of(arch) for arch in archs]


def few_trees(seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(n_estimators=5, random_state=seed)


QUICK = {
    "pool": 200,
    "candidates": 100,
    "regressor": few_trees,
    "policy": "categorical",
    "epochs": 2,
    "trees": 4,
}
"""What a searcher spends its time with, smaller than by default."""


def options_of(make: type[ArchSearcher]) -> dict[str, Any]:
    """The options that `make` cannot do without, and those of `QUICK`."""
    taken = {
        name: parameter.default
        for kind in make.__mro__
        for name, parameter in inspect.signature(kind).parameters.items()
    }
    quick = {name: value for name, value in QUICK.items() if taken.get(name)}
    return ({"proxy": by_length} if "proxy" in taken else {}) | quick
