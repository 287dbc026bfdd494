"""The recurrent space of DARTS: eight nodes, each with one activation and one earlier node that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.edges import Chosen, EdgeGraph
from nas_ray.spaces.rnn.cells import ACTIVATIONS, OPS, RecurrentCell, checked, read_cell, short
from nas_ray.spaces.rnn.sizes import RecurrentSizes
from nas_ray.spaces.sequences import check_decisions

if TYPE_CHECKING:
    from torch import nn

NODES = 8
"""Nodes of a cell beside the one that reads the input."""

EDGES: tuple[tuple[int, int], ...] = tuple(
    (source, node) for node in range(1, NODES + 1) for source in range(node)
)
"""The 36 edges in the released order: by target, then by source."""

PLACE: dict[tuple[int, int], int] = {edge: place for place, edge in enumerate(EDGES)}


class DartsRnn(RecurrentSizes):
    """The recurrent cells of DARTS: 8! times 4^8, about 2.6e9; their nets read tokens `[B, T]`.

    An arch is written `|tanh~0|relu~1|...|`, for each of its nodes 1 to 8 an activation and the node that it
    reads. The output of a cell is the mean of the eight.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, sections 2.3 and 3.2; nets as
    released.
    Differs: none known; with a width of 850 and 10,000 words a net has the published 23 M parameters.

    Args:
        width, embedding: as of `RecurrentSizes`.

    Raises:
        UsageError: sizes that cannot be.
    """

    name = "darts-rnn"

    def cost_class(self, arch: str) -> str:
        """Returns one value for all archs, which have equal costs."""
        return self.name

    def graphs(self) -> tuple[EdgeGraph, ...]:
        """Returns the cell with all operations of its 36 edges, of which a node keeps one."""
        return (EdgeGraph("recurrent", OPS, EDGES, inputs=1, kept=1),)

    def from_edges(self, chosen: Sequence[Chosen]) -> str:
        """Returns the arch with these operations: one edge for each node.

        Raises:
            UsageError: others, or `none`.
        """
        (edges,) = chosen
        found = sorted((EDGES[place][1], op, EDGES[place][0]) for place, op in edges.items())
        if [node for node, _, _ in found] != list(range(1, NODES + 1)):
            raise UsageError(
                f"An arch of {self.name} has one edge for each of {NODES} nodes, got edges to "
                f"{', '.join(str(node) for node, _, _ in found) or 'none'}."
            )
        return checked(RecurrentCell(tuple((op, source) for _, op, source in found)), NODES).written()

    def to_edges(self, arch: str) -> tuple[Chosen, ...]:
        """Returns the operations of the eight edges.

        Raises:
            UsageError: not an arch of this space.
        """
        return ({PLACE[source, node]: op for node, (op, source) in enumerate(self.cell(arch).nodes, 1)},)

    def cell(self, arch: str) -> RecurrentCell:
        """Returns the cell of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        return read_cell(arch, NODES)

    def __contains__(self, arch: object) -> bool:
        try:
            return isinstance(arch, str) and bool(self.cell(arch))
        except UsageError:
            return False

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn uniformly."""
        nodes = ((str(rng.choice(ACTIVATIONS)), int(rng.integers(node))) for node in range(1, NODES + 1))
        return RecurrentCell(tuple(nodes)).written()

    def neighbors(self, arch: str) -> list[str]:
        """Returns the 52 archs in which one node has another activation, or reads another node."""
        nodes = self.cell(arch).nodes
        near = []
        for place, (op, source) in enumerate(nodes):
            others = [(other, source) for other in ACTIVATIONS if other != op]
            others += [(op, other) for other in range(place + 1) if other != source]
            near += [RecurrentCell((*nodes[:place], new, *nodes[place + 1 :])).written() for new in others]
        return near

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of 15 decisions: of each node the one that it reads, and its activation.

        The first node has no other to choose.
        """
        of_nodes = ((tuple(map(str, range(node))), ACTIVATIONS) for node in range(1, NODES + 1))
        return tuple(options for pair in of_nodes for options in pair if len(options) > 1)

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        nodes = self.cell(arch).nodes
        return (nodes[0][0], *(part for op, source in nodes[1:] for part in (str(source), op)))

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions.

        Raises:
            UsageError: another number of decisions, or one that is no option.
        """
        what = ", which are numbers of nodes, and activations"
        check_decisions(self.name, decisions, self.choices(), what)
        pairs = zip(decisions[1::2], decisions[2::2], strict=True)
        nodes = ((decisions[0], 0), *((op, int(source)) for source, op in pairs))
        return RecurrentCell(nodes).written()

    def label(self, arch: str) -> str:
        """Returns how often each activation stands in the cell, and how many nodes its longest path has."""
        return short(self.cell(arch).nodes)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net of tokens `[B, T]` to logits `[B, T, num_classes]`, a vocabulary of that size."""
        from nas_ray.spaces.rnn.darts_cell import DartsCell
        from nas_ray.spaces.rnn.nets import LanguageNet

        cell = DartsCell(self.cell(arch), self.embedding, self.width)
        return LanguageNet(cell, num_classes, self.embedding)
