"""Spaces that have next to nothing, for tests of what a space need not have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.spaces import END, sample_sequence


class Widths:
    """The two methods: nets of one hidden layer with 1 to 8 units."""

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.integers(1, 9))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        width = int(arch)
        body = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, width), nn.ReLU())
        return nn.Sequential(body, nn.Linear(width, num_classes))


class Layers:
    """Nets of one to `most` layers; each is `wide` or `narrow`, and behind a narrow one comes no wide one.

    An arch such as `wide-wide-narrow`. It has no `neighbors`, and no list.
    """

    def __init__(self, most: int = 4) -> None:
        self.most = most

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        if len(prefix) == self.most:
            return (END,)
        layers = ("narrow",) if "narrow" in prefix else ("wide", "narrow")
        return (*layers, END) if prefix else layers

    def decisions(self, arch: str) -> tuple[str, ...]:
        return tuple(arch.split("-"))

    def assemble(self, decisions: Sequence[str]) -> str:
        for place, layer in enumerate((*decisions, END)):
            if layer not in self.options(tuple(decisions[:place])):
                raise UsageError(f"The layers {decisions!r} cannot have {layer!r} at place {place}.")
        return "-".join(decisions)

    sample = sample_sequence

    def label(self, arch: str) -> str:
        return f"{len(self.decisions(arch))} layers, {arch.count('wide')} of them wide"

    def build(self, arch: str, num_classes: int) -> nn.Module:
        body: list[nn.Module] = [nn.AdaptiveAvgPool2d(4), nn.Flatten()]
        before = 48
        for layer in self.decisions(arch):
            width = 8 if layer == "wide" else 4
            body += [nn.Linear(before, width), nn.ReLU()]
            before = width
        return nn.Sequential(*body, nn.Linear(before, num_classes))


class Blocks:
    """Macro nets without neighbours: a set of layers, a child of which takes layers from both parents."""

    def sample(self, rng: np.random.Generator) -> str:
        return _named(rng.choice(8, size=int(rng.integers(1, 5)), replace=False))

    def sample_from(self, parents: Sequence[str], rng: np.random.Generator) -> str:
        pool = sorted({int(n) for parent in parents for n in parent.split("+")})
        return _named(rng.choice(pool, size=int(rng.integers(1, len(pool) + 1)), replace=False))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        raise NotImplementedError


def _named(numbers: np.ndarray) -> str:
    return "+".join(map(str, sorted(int(n) for n in numbers)))
