"""NATS-TSS: the topology search space of NATS-Bench, known before as NAS-Bench-201."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.edges import Chosen, EdgeGraph
from nas_ray.spaces.plans import EDGES as EDGES
from nas_ray.spaces.plans import skip_spans as skip_spans
from nas_ray.spaces.stems import SMALL, STEMS, stem_for

if TYPE_CHECKING:
    from torch import nn

OPS: tuple[str, ...] = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""The candidate operations, in the published order."""

LONGEST = 200
"""Characters of a wrong arch that a message repeats."""


class NatsTss:
    """The 15,625 archs of a 4-node cell with one of 5 operations on each of its 6 edges.

    An arch is written `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`: one group for each node 1, 2, 3, and in it one
    `operation~source node` for each incoming edge.

    Source: Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI
    2021.
    Differs: none known; index order, parameter counts and multiply-adds equal the published ones for every
    arch.

    Args:
        channels: C, width of the first stage; the next two have 2 C and 4 C.
        cells: N, number of cells in each of the three stages.
        stem: `small`, as published, or `strided` for images above 64 pixels.
    """

    name = "nats-tss"
    schedules = (12, 200)
    """Epochs of the published trainings; the last one counts."""

    def __init__(self, channels: int = 16, cells: int = 5, stem: str = SMALL) -> None:
        if stem not in STEMS:
            raise UsageError(f"stem must be one of {', '.join(STEMS)}, got {stem!r}.")
        if channels < 1 or cells < 1:
            raise UsageError(
                f"channels and cells must be at least 1, got channels={channels} and cells={cells}."
            )
        self.channels = channels
        self.cells = cells
        self.stem = stem

    def for_image_size(self, image_size: int) -> NatsTss:
        """Returns the same archs with the stem for square images of `image_size` pixels."""
        stem = stem_for(image_size)
        return self if stem == self.stem else NatsTss(self.channels, self.cells, stem)

    @property
    def archs(self) -> tuple[str, ...]:
        """All archs in the published index order: the authors shuffled the product with seed 88."""
        return _all_archs()

    @cached_property
    def _index(self) -> dict[str, int]:
        every = self.archs is _all_archs()  # and not some of them, in a class of someone else
        return _all_indices() if every else {arch: index for index, arch in enumerate(self.archs)}

    def __len__(self) -> int:
        size: int = len(OPS) ** len(EDGES)
        return size

    def __iter__(self) -> Iterator[str]:
        return iter(self.archs)

    def __contains__(self, arch: object) -> bool:
        return arch in self._index

    def __getitem__(self, index: int) -> str:
        return self.archs[index]

    def index(self, arch: str) -> int:
        """Returns the published index of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        to_ops(arch)
        index: int = self._index[arch]
        return index

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn uniformly: one operation per edge."""
        return to_arch(tuple(OPS[i] for i in rng.integers(len(OPS), size=len(EDGES))))

    def neighbors(self, arch: str) -> list[str]:
        """Returns the 24 archs that differ from `arch` in the operation of one edge."""
        return list(neighbors(arch))

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the five operations for each of the six edges."""
        return (OPS,) * len(EDGES)

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the six operations of `arch` in the order of `EDGES`."""
        return to_ops(arch)

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch with these six operations.

        Raises:
            UsageError: another number of operations, or an unknown one.
        """
        if len(decisions) != len(EDGES) or not set(decisions) <= set(OPS):
            raise UsageError(
                f"An arch of nats-tss is made of {len(EDGES)} operations of {', '.join(OPS)}; got "
                f"{', '.join(decisions)}."
            )
        return to_arch(tuple(decisions))

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Returns the places of the incoming edges of nodes 1, 2 and 3."""
        targets = sorted({target for _, target in EDGES})
        return tuple(tuple(i for i, edge in enumerate(EDGES) if edge[1] == node) for node in targets)

    def graphs(self) -> tuple[EdgeGraph, ...]:
        """Returns the cell with its five operations on each of the six edges, all of which an arch has."""
        return (EdgeGraph("cell", OPS, EDGES),)

    def from_edges(self, chosen: Sequence[Chosen]) -> str:
        """Returns the arch with these operations on its edges.

        Raises:
            UsageError: not one operation for each edge, or an unknown one.
        """
        return self.assemble([op for cell in chosen for _, op in sorted(cell.items())])

    def to_edges(self, arch: str) -> tuple[Chosen, ...]:
        """Returns the operation of `arch` on every edge.

        Raises:
            UsageError: not an arch of this space.
        """
        return (dict(enumerate(to_ops(arch))),)

    def cost_class(self, arch: str) -> tuple[int, int]:
        """Returns the numbers of 1x1 and 3x3 convolutions; archs with equal ones cost the same."""
        ops = to_ops(arch)
        return ops.count("nor_conv_1x1"), ops.count("nor_conv_3x3")

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, with H and W divisible by 4.

        With the strided stem they must be divisible by 16.
        """
        from nas_ray.spaces.tss_nets import TssNet

        return TssNet(to_ops(arch), num_classes, self.channels, self.cells, self.stem)


@cache
def _all_archs() -> tuple[str, ...]:
    """Returns all archs in the published order; made once, for nets of any size have the same."""
    archs = [to_arch(ops) for ops in itertools.product(OPS, repeat=len(EDGES))]
    random.Random(88).shuffle(archs)
    return tuple(archs)


@cache
def _all_indices() -> dict[str, int]:
    return {arch: index for index, arch in enumerate(_all_archs())}


def _template() -> str:
    """Returns an arch with `%s` in the place of each operation, in the order of `EDGES`."""
    groups: dict[int, str] = {}
    for source, target in EDGES:
        groups[target] = groups.get(target, "|") + f"%s~{source}|"
    return "+".join(groups.values())


TEMPLATE = _template()


def to_arch(ops: tuple[str, ...]) -> str:
    """Returns the arch string of six operations given in the order of `EDGES`."""
    return TEMPLATE % ops


def to_ops(arch: str) -> tuple[str, ...]:
    """Returns the six operations of `arch` in the order of `EDGES`.

    Raises:
        UsageError: `arch` is not a canonical string of this space.
    """
    edges = arch.replace("+", "").strip("|").replace("||", "|").split("|")
    ops = tuple(edge.partition("~")[0] for edge in edges)
    if len(ops) != len(EDGES) or not set(ops) <= set(OPS) or to_arch(ops) != arch:
        raise UsageError(
            "An arch of nats-tss reads |op~0|+|op~0|op~1|+|op~0|op~1|op~2| with op in "
            f"{', '.join(OPS)}; got {arch[:LONGEST]!r}."
        )
    return ops


@lru_cache(maxsize=16_384)
def neighbors(arch: str) -> tuple[str, ...]:
    """Returns the archs that differ from `arch` in the operation of one edge.

    Raises:
        UsageError: `arch` is not a canonical string of this space.
    """
    ops = to_ops(arch)
    return tuple(
        to_arch((*ops[:edge], op, *ops[edge + 1 :]))
        for edge in range(len(EDGES))
        for op in OPS
        if op != ops[edge]
    )
