"""A small space of sequences with layers and anchor points."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.spaces import END
from nas_ray.spaces.sequences import sample_sequence

KINDS = ("a", "b", "c")
READS = ("off", "on")


class Stack:
    """One to `most` layers of a kind, each of which reads any earlier ones: "a b on" has two, the second on.

    Args:
        most: layers.
        least: layers.
    """

    def __init__(self, most: int = 3, least: int = 1) -> None:
        self.most, self.least = most, least

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        layers, reads = self._at(len(prefix))
        if reads is not None:
            return READS
        if layers == self.most:
            return (END,)
        return (*KINDS, END) if layers >= self.least else KINDS

    def anchor(self, prefix: tuple[str, ...]) -> tuple[int, int] | None:
        layers, reads = self._at(len(prefix))
        return None if reads is None else (self._point(reads), self._point(layers))

    def of_depth(self, layers: int) -> Stack:
        if not self.least <= layers <= self.most:
            raise UsageError(f"There must be {self.least} to {self.most} layers, got {layers}.")
        return Stack(layers, layers)

    def decisions(self, arch: str) -> tuple[str, ...]:
        return tuple(arch.split())

    def assemble(self, decisions: Sequence[str]) -> str:
        taken = (*decisions, END)
        if not all(option in self.options(taken[:place]) for place, option in enumerate(taken)):
            raise UsageError(f"Decisions must be options to the end, got {' '.join(decisions)}.")
        return " ".join(decisions)

    sample = sample_sequence

    def build(self, arch: str, num_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))

    def __iter__(self) -> Iterator[str]:
        for layers in range(self.least, self.most + 1):
            parts = [p for layer in range(layers) for p in (KINDS, *[READS] * layer)]
            yield from (" ".join(taken) for taken in itertools.product(*parts))

    def _at(self, place: int) -> tuple[int, int | None]:
        """Returns the layer of a place, and which earlier one is decided on; None for a kind."""
        layer = 0
        while place > layer:  # a layer has a kind and a decision for each before it
            place -= layer + 1
            layer += 1
        return (layer, place - 1) if place else (layer, None)

    def _point(self, layer: int) -> int:
        return layer * (layer + 1) // 2 + 1


def reads_of(arch: str) -> float:
    """Returns a reward: how many layers are "b", and how often one reads another."""
    return float(arch.split().count("b") + arch.split().count("on"))


def shuffled(rng: np.random.Generator) -> float:
    """Returns a reward that says nothing."""
    return float(rng.random())
