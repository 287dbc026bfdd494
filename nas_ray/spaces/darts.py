"""DARTS: two cells of four nodes, each with two of seven operations on earlier nodes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.errors.checks import whole
from nas_ray.spaces.darts_cells import INPUTS, CellPlan, Edge, Genotype, read_genotype
from nas_ray.spaces.darts_costs import count_cost
from nas_ray.spaces.darts_moves import EDGES, KEPT, NODES, PLACE, Decisions, Options, neighbors
from nas_ray.spaces.darts_sets import NONE, S1, counted_ops, read_ops
from nas_ray.spaces.edges import Chosen, EdgeGraph
from nas_ray.spaces.sequences import check_decisions
from nas_ray.spaces.stems import SMALL, STEMS, stem_for

if TYPE_CHECKING:
    from torch import nn

CELLS = ("normal", "reduce")
"""The graphs, in their order."""

MOST_CHANNELS, MOST_CELLS = 4_096, 200
"""Sizes above those of any net that one machine could train."""


def check_sizes(name: str, channels: int, cells: int, stem: str) -> None:
    """Checks the sizes of the nets of the space `name`.

    Raises:
        UsageError: they cannot be.
    """
    whole(2).check(f"The channels of {name}", channels)
    whole(1).check(f"The cells of {name}", cells)
    if channels > MOST_CHANNELS or cells > MOST_CELLS:
        raise UsageError(
            f"A net of {name} has at most {MOST_CHANNELS:,} channels and {MOST_CELLS} cells, got channels="
            f"{channels} and cells={cells}."
        )
    if stem not in STEMS:
        raise UsageError(f"stem must be one of {', '.join(STEMS)}, got {stem!r}.")


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
        ops: what the edges may take: a name of `OP_SETS`, operations joined by `+`, or a sequence of them;
            None for the eight of DARTS.
        stem: `small`, as published for CIFAR, or `strided`, as published for ImageNet.

    Raises:
        UsageError: sizes or operations that cannot be.
    """

    name = "darts"
    OPS: ClassVar[str] = "darts"
    """The set of operations where none is given."""

    def __init__(
        self, channels: int = 16, cells: int = 8, ops: str | Sequence[str] | None = None, stem: str = SMALL
    ) -> None:
        check_sizes(self.name, channels, cells, stem)
        self.channels, self.cells, self.stem = channels, cells, stem
        given = self.OPS if ops is None else ops
        self.ops = read_ops(given)
        self.allowed = S1 if given == "s1" else dict.fromkeys(CELLS)

    def for_image_size(self, image_size: int) -> Darts:
        """Returns the same archs with the stem for square images of `image_size` pixels."""
        other = copy.copy(self)
        other.stem = stem_for(image_size)
        return other

    def graphs(self) -> tuple[EdgeGraph, ...]:
        """Returns both cells with all operations of their 14 edges, of which a node keeps two."""
        return tuple(EdgeGraph(name, self.ops, EDGES, INPUTS, KEPT, self.allowed[name]) for name in CELLS)

    @cached_property
    def _options(self) -> tuple[Options, ...]:
        """Of both cells, the operations that an arch may have on each edge: all but `none`."""
        return tuple(
            tuple(tuple(op for op in graph.options(place) if op != NONE) for place in range(len(EDGES)))
            for graph in self.graphs()
        )

    @cached_property
    def _decisions(self) -> Decisions:
        return Decisions(self._options)

    def from_edges(self, chosen: Sequence[Chosen]) -> str:
        """Returns the arch with these operations: in both cells two edges of each node.

        Raises:
            UsageError: others, or `none`.
        """
        plans = [_nodes(cell) for cell in chosen]
        kept = [[len(edges) for edges in nodes] for nodes in plans]
        if kept != [[KEPT] * NODES] * len(CELLS):
            raise UsageError(
                f"An arch of {self.name} has two cells ({', '.join(CELLS)}) and in each {KEPT} edges of each "
                f"node; got {kept}."
            )
        normal, reduce = (CellPlan(tuple((edges[0], edges[1]) for edges in nodes)) for nodes in plans)
        return self._checked(Genotype(normal, reduce)).written()

    def to_edges(self, arch: str) -> tuple[Chosen, ...]:
        """Returns the operations of the eight edges of both cells.

        Raises:
            UsageError: not an arch of this space.
        """
        return tuple(
            {PLACE[source, node]: op for node, edges in enumerate(plan.nodes, INPUTS) for source, op in edges}
            for plan in self.genotype(arch).cells
        )

    def genotype(self, arch: str) -> Genotype:
        """Returns the two cells of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        return self._checked(read_genotype(arch))

    def _checked(self, genotype: Genotype) -> Genotype:
        for name, options, plan in zip(CELLS, self._options, genotype.cells, strict=True):
            if len(plan.nodes) != NODES:
                raise UsageError(f"A cell of {self.name} has {NODES} nodes, got {len(plan.nodes)}.")
            for node, edges in enumerate(plan.nodes, INPUTS):
                if edges[0][0] == edges[1][0]:
                    raise UsageError(
                        f"The edges of a node of {self.name} must come from different nodes; node {node} of "
                        f"the {name} cell has two from node {edges[0][0]}."
                    )
                for source, op in edges:
                    if op not in (known := options[PLACE[source, node]]):
                        raise UsageError(
                            f"The edge from node {source} to {node} of the {name} cell of {self.name} must "
                            f"have an operation of {', '.join(known)}, got {op}."
                        )
        return genotype

    def __contains__(self, arch: object) -> bool:
        try:
            return isinstance(arch, str) and bool(self.genotype(arch))
        except UsageError:
            return False

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn uniformly: for each node two earlier ones, and an operation for each."""
        plans = []
        for options in self._options:
            nodes = []
            for node in range(INPUTS, INPUTS + NODES):
                sources = sorted(rng.choice(node, size=KEPT, replace=False).tolist())
                one, other = ((source, str(rng.choice(options[PLACE[source, node]]))) for source in sources)
                nodes.append((one, other))
            plans.append(CellPlan(tuple(nodes)))
        return Genotype(*plans).written()

    def neighbors(self, arch: str) -> list[str]:
        """Returns the 120 archs with another operation on one edge, or with one edge from another node."""
        return [near.written() for near in neighbors(self.genotype(arch), self._options)]

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of 22 decisions: for each node the two it reads, and two operations."""
        return self._decisions.choices

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        return self._decisions.of(self.genotype(arch))

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions.

        Raises:
            UsageError: another number of decisions, or one that is no option.
        """
        what = ", which are pairs of nodes such as 0+2, and operations"
        check_decisions(self.name, decisions, self.choices(), what)
        return self._decisions.assemble(decisions).written()

    def label(self, arch: str) -> str:
        """Returns how often each operation stands in a cell, such as `normal 5 sep3 3 skip, reduce 8 max`."""
        cells = zip(CELLS, self.genotype(arch).cells, strict=True)
        return ", ".join(f"{name} {counted_ops(plan.ops)}" for name, plan in cells)

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
        """Returns parameters, and multiply-adds of one image `(3, H, W)`, by formula."""
        return count_cost(self.genotype(arch), num_classes, self.channels, self.cells, self.stem, image)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, with H and W divisible by 4.

        With the strided stem they must be divisible by 16.
        """
        from nas_ray.spaces.darts_nets import DartsNet

        return DartsNet(self.genotype(arch), num_classes, self.channels, self.cells, self.stem)


def _nodes(chosen: Chosen) -> list[list[Edge]]:
    """Returns the edges of every node of a cell, sources ascending."""
    nodes: list[list[Edge]] = [[] for _ in range(NODES)]
    for place, op in sorted(chosen.items()):
        source, node = EDGES[place]
        nodes[node - INPUTS].append((source, op))
    return nodes
