"""DARTS: two cells of four nodes, each with two of seven operations on earlier nodes."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.errors.checks import whole
from nas_ray.spaces.darts_cells import INPUTS, CellPlan, Edge, Genotype, read_genotype
from nas_ray.spaces.darts_sets import NONE, read_ops
from nas_ray.spaces.edges import Chosen, EdgeGraph
from nas_ray.spaces.stems import SMALL, STEMS, stem_for

if TYPE_CHECKING:
    pass

NODES = 4
"""Nodes of a cell beside its two inputs."""

EDGES: tuple[tuple[int, int], ...] = tuple(
    (source, node) for node in range(INPUTS, INPUTS + NODES) for source in range(node)
)
"""The 14 edges `(from node, to node)` of a cell in the released order: by target, then by source."""

PLACE: Mapping[tuple[int, int], int] = MappingProxyType({edge: place for place, edge in enumerate(EDGES)})
"""The place of each edge in `EDGES`."""

CELLS = ("normal", "reduce")
"""The graphs, in their order."""

KEPT = 2
"""Incoming edges of a node that an arch has."""


class Darts:
    """The archs of DARTS: 180 times 7^8 cells, about 1e9, for each of two cells.

    An arch is written `normal:CELL;reduce:CELL`, each CELL with a group for each of its nodes 2 to 5 and in
    it two times `operation~source node`, sources ascending:
    `|sep_conv_3x3~0|sep_conv_3x3~1|+|skip_connect~0|...`. The output of a cell is the maps of its four nodes
    behind each other.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.1 and appendix; nets
    as released.
    Differs: none known; the parameter count of the released cell equals the published one.

    Args:
        channels: C, width of the first cells; it doubles at each of two reductions. Published: 36.
        cells: how many there are; those at a third and two thirds are reductions. Published: 20.
        ops: what the edges may take: a name of `OP_SETS`, operations joined by `+`, or a sequence of them.
        stem: `small`, as published for CIFAR, or `strided`, as published for ImageNet.

    Raises:
        UsageError: sizes or operations that cannot be.
    """

    name = "darts"
    CHECKED: ClassVar = {"channels": whole(2), "cells": whole(1)}

    def __init__(
        self, channels: int = 16, cells: int = 8, ops: str | Sequence[str] = "darts", stem: str = SMALL
    ) -> None:
        if stem not in STEMS:
            raise UsageError(f"stem must be one of {', '.join(STEMS)}, got {stem!r}.")
        for what, value in (("channels", channels), ("cells", cells)):
            self.CHECKED[what].check(what, value)
        self.channels, self.cells, self.stem = channels, cells, stem
        self.ops = read_ops(ops)

    def for_image_size(self, image_size: int) -> Darts:
        """Returns the same archs with the stem for square images of `image_size` pixels."""
        other = copy.copy(self)
        other.stem = stem_for(image_size)
        return other

    def graphs(self) -> tuple[EdgeGraph, ...]:
        """Returns both cells with all operations of their 14 edges, of which a node keeps two."""
        return tuple(EdgeGraph(name, self.ops, EDGES, INPUTS, KEPT) for name in CELLS)

    @cached_property
    def _options(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """For each cell and edge the operations that an arch may have there: all but `none`."""
        return tuple(
            tuple(tuple(op for op in graph.options(place) if op != NONE) for place in range(len(EDGES)))
            for graph in self.graphs()
        )

    def from_edges(self, chosen: Sequence[Chosen]) -> str:
        """Returns the arch with these operations: in both cells two edges of each node.

        Raises:
            UsageError: others, or `none`.
        """
        plans = []
        for cell in chosen:
            nodes: dict[int, list[Edge]] = {node: [] for node in range(INPUTS, INPUTS + NODES)}
            for place, op in sorted(cell.items()):
                source, node = EDGES[place]
                nodes[node].append((source, op))
            plans.append(nodes)
        if len(plans) != len(CELLS) or any(len(edges) != KEPT for nodes in plans for edges in nodes.values()):
            raise UsageError(
                f"An arch of {self.name} has two cells ({', '.join(CELLS)}) and in each {KEPT} edges of each "
                f"node; got {[{node: len(edges) for node, edges in nodes.items()} for nodes in plans]}."
            )
        normal, reduce = (
            CellPlan(tuple((edges[0], edges[1]) for edges in nodes.values())) for nodes in plans
        )
        return self._checked(Genotype(normal, reduce)).written()

    def to_edges(self, arch: str) -> tuple[Chosen, ...]:
        """Returns the operations of the eight edges of both cells.

        Raises:
            UsageError: not an arch of this space.
        """
        genotype = self.genotype(arch)
        return tuple(
            {PLACE[source, node]: op for node, edges in enumerate(cell.nodes, INPUTS) for source, op in edges}
            for cell in (genotype.normal, genotype.reduce)
        )

    def genotype(self, arch: str) -> Genotype:
        """Returns the two cells of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        return self._checked(read_genotype(arch))

    def _checked(self, genotype: Genotype) -> Genotype:
        for name, options, cell in zip(CELLS, self._options, (genotype.normal, genotype.reduce), strict=True):
            if len(cell.nodes) != NODES:
                raise UsageError(f"A cell of {self.name} has {NODES} nodes, got {len(cell.nodes)}.")
            for node, ((one, _), (other, _)) in enumerate(cell.nodes, INPUTS):
                if one == other:
                    raise UsageError(
                        f"The two edges of a node of {self.name} come from different nodes; node {node} of "
                        f"the {name} cell has two from node {one}."
                    )
            for node, edges in enumerate(cell.nodes, INPUTS):
                for source, op in edges:
                    if op not in (known := options[PLACE[source, node]]):
                        raise UsageError(
                            f"The edge from node {source} to {node} of the {name} cell of {self.name} has an "
                            f"operation of {', '.join(known)}; got {op!r}."
                        )
        return genotype

    def __contains__(self, arch: object) -> bool:
        try:
            return isinstance(arch, str) and bool(self.genotype(arch))
        except UsageError:
            return False

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn uniformly: for each node two earlier ones, and an operation for each."""
        cells = []
        for options in self._options:
            nodes = []
            for node in range(INPUTS, INPUTS + NODES):
                sources = sorted(rng.choice(node, size=KEPT, replace=False).tolist())
                one, other = ((source, str(rng.choice(options[PLACE[source, node]]))) for source in sources)
                nodes.append((one, other))
            cells.append(CellPlan(tuple(nodes)))
        return Genotype(*cells).written()
