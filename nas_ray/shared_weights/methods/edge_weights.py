"""Weights of whole edges, learned beside those of operations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nas_ray.spaces.edges import EdgeGraph


class EdgeWeights(nn.Module):
    """A parameter for each edge; the softmax over the incoming edges of each node.

    Source: Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search", ICLR
    2020, equation 4.
    Differs: none known.

    Args:
        graphs: those of the space.
        init: deviation of the first parameters.
        generator: draws them, on the CPU.
    """

    def __init__(self, graphs: Sequence[EdgeGraph], init: float, generator: torch.Generator) -> None:
        super().__init__()
        self.graphs = graphs
        first = (init * torch.randn(len(graph.edges), generator=generator) for graph in graphs)
        self.logits = nn.ParameterList(nn.Parameter(values) for values in first)

    def forward(self) -> tuple[Tensor, ...]:
        """Returns the weights, `[E]` by graph."""
        return tuple(over_incoming(graph, own) for graph, own in zip(self.graphs, self.logits, strict=True))


def over_incoming(graph: EdgeGraph, logits: Tensor) -> Tensor:
    """Returns the softmax of `logits [E]` over the edges that end in the same node."""
    places = torch.tensor([place for node in graph.nodes for place in graph.incoming(node)])
    parts = [logits[list(graph.incoming(node))].softmax(0) for node in graph.nodes]
    return torch.cat(parts)[places.argsort().to(logits.device, non_blocking=True)]
