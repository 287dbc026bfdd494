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
        first = (init * torch.randn(len(graph.edges), generator=generator) for graph in graphs)
        self.logits = nn.ParameterList(nn.Parameter(values) for values in first)
        for number, graph in enumerate(graphs):
            self.register_buffer(f"rivals{number}", rivals(graph), persistent=False)

    def forward(self) -> tuple[Tensor, ...]:
        """Returns the weights, `[E]` by graph."""
        return tuple(
            over_incoming(own, self.get_buffer(f"rivals{number}")) for number, own in enumerate(self.logits)
        )


def rivals(graph: EdgeGraph) -> Tensor:
    """Returns bool `[E, E]`: which edges end in the same node."""
    targets = torch.tensor([target for _, target in graph.edges])
    return targets[:, None] == targets


def over_incoming(logits: Tensor, same: Tensor) -> Tensor:
    """Returns the softmax of `logits [E]` over the edges that end in the same node, which `same` says."""
    return logits.expand_as(same).masked_fill(~same, -torch.inf).softmax(-1).diagonal()
