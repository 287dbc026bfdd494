"""What a method learns about operations: parameters for each, a uniform choice, or a controller."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.methods.chance import Chance
from nas_ray.shared_weights.methods.controller import Controller, path_mask, plan
from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.methods.weights import KINDS, Drawn
from nas_ray.spaces.edges import EdgeGraph

Masks = Sequence[Tensor]
"""Of each graph, bool `[E, O]`: operations that are still there."""


class ArchWeights(nn.Module, ABC):
    """The architecture parameters of a method, and how they become weights of operations."""

    @abstractmethod
    def draw(self, keep: Masks, chance: Chance) -> tuple[Drawn, ...]:
        """Returns the weights of operations for one pass, by graph."""

    @abstractmethod
    def strengths(self, keep: Masks) -> tuple[Tensor, ...]:
        """Returns how much each operation is preferred, `[E, O]` by graph, without chance."""


class Parameters(ArchWeights):
    """A parameter for each operation of each edge.

    Args:
        graphs: those of the space.
        method: how parameters become weights, and the deviation of the first ones.
        generator: draws the first parameters, on the CPU.
    """

    def __init__(self, graphs: Sequence[EdgeGraph], method: Method, generator: torch.Generator) -> None:
        super().__init__()
        first = (method.init * torch.randn(graph.shape, generator=generator) for graph in graphs)
        learned = method.gradient != "none"
        self.logits = nn.ParameterList(nn.Parameter(values, requires_grad=learned) for values in first)
        self.kind = KINDS[method.weights]

    def draw(self, keep: Masks, chance: Chance) -> tuple[Drawn, ...]:
        """Returns the weights of operations for one pass, by graph."""
        return tuple(self.kind.draw(own, kept, chance) for own, kept in zip(self.logits, keep, strict=True))

    def strengths(self, keep: Masks) -> tuple[Tensor, ...]:
        """Returns how much each operation is preferred, `[E, O]` by graph, with gradients."""
        return tuple(self.kind.strengths(own, kept) for own, kept in zip(self.logits, keep, strict=True))


class UniformPath(ArchWeights):
    """One operation of each edge that an arch has, each as likely; no parameters.

    Where an arch has some of the incoming edges of a node, these are drawn first, each as likely, and `none`
    is no choice.

    Source: Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019.
    Differs: every cell has the same operations in a step, as an arch has; the search of NATS-Bench draws them
    for each cell.
    """

    def __init__(self, graphs: Sequence[EdgeGraph], device: torch.device) -> None:
        super().__init__()
        self.graphs, self.device = graphs, device

    def draw(self, keep: Masks, chance: Chance) -> tuple[Drawn, ...]:
        """Returns the weights of operations for one pass, by graph."""
        masks = [
            uniform_path(graph, kept.cpu(), chance) for graph, kept in zip(self.graphs, keep, strict=True)
        ]
        return tuple(Drawn(as_weights(mask, self.device), mask) for mask in masks)

    def strengths(self, keep: Masks) -> tuple[Tensor, ...]:
        """Returns equal strengths for all operations of an edge that may be drawn."""
        allowed = [usable(graph, kept) for graph, kept in zip(self.graphs, keep, strict=True)]
        return tuple((mask / mask.sum(-1, keepdim=True)).to(torch.get_default_dtype()) for mask in allowed)


def usable(graph: EdgeGraph, keep: Tensor) -> Tensor:
    """Returns what of `keep` an arch may have: without `none` where it has some of the edges."""
    if graph.kept is None or "none" not in graph.ops:
        return keep
    allowed = keep.clone()
    allowed[:, graph.ops.index("none")] = False
    return allowed


def uniform_path(graph: EdgeGraph, keep: Tensor, chance: Chance) -> Tensor:
    """Returns bool `[E, O]` with one operation on each edge of a random arch, on the CPU."""
    allowed, mask = usable(graph, keep), torch.zeros(graph.shape, dtype=torch.bool)
    for node in graph.nodes:
        incoming = list(graph.incoming(node))
        for _ in range(len(incoming) - (graph.kept or len(incoming))):
            incoming.pop(chance.whole(len(incoming)))
        for edge in incoming:
            ops = allowed[edge].nonzero().flatten()
            mask[edge, ops[chance.whole(len(ops))]] = True
    return mask


def as_weights(mask: Tensor, device: torch.device) -> Tensor:
    """Returns a bool mask of the CPU as weights 0 and 1 on `device`."""
    return mask.to(torch.get_default_dtype()).to(device, non_blocking=True)


class Policy(ArchWeights):
    """A controller that draws an arch decision by decision; it stays on the CPU.

    Attributes:
        controller: its net.
        chosen: the decisions that were drawn last, `[T]`.
    """

    def __init__(self, graphs: Sequence[EdgeGraph], device: torch.device) -> None:
        super().__init__()
        self.graphs, self.device, self.plan = graphs, device, plan(graphs)
        self.controller = Controller(graphs, self.plan)
        self.chosen = torch.zeros(len(self.plan), dtype=torch.long)

    def draw(self, keep: Masks, chance: Chance) -> tuple[Drawn, ...]:
        """Returns the weights of operations for one pass, by graph."""
        with torch.no_grad():
            self.chosen = self.controller(self.allowed(keep), 1, chance.cpu).choices[0]
        masks = path_mask(self.graphs, self.plan, self.chosen)
        return tuple(Drawn(as_weights(mask, self.device), mask) for mask in masks)

    def strengths(self, keep: Masks, archs: int = 256) -> tuple[Tensor, ...]:
        """Returns how often each operation is in so many drawn archs, which are equal for equal weights."""
        with torch.no_grad():
            choices = self.controller(self.allowed(keep), archs, torch.Generator().manual_seed(0)).choices
        drawn = [path_mask(self.graphs, self.plan, one) for one in choices]
        return tuple(
            torch.stack(of_graph).to(torch.get_default_dtype()).mean(0).to(self.device)
            for of_graph in zip(*drawn, strict=True)
        )

    def allowed(self, keep: Masks) -> tuple[Tensor, ...]:
        """Returns the operations that may be drawn, on the CPU."""
        return tuple(usable(graph, kept.cpu()) for graph, kept in zip(self.graphs, keep, strict=True))


def arch_weights(
    method: Method, graphs: Sequence[EdgeGraph], generator: torch.Generator, device: torch.device
) -> ArchWeights:
    """Returns new architecture parameters on `device`, equal for equal states of `generator`."""
    if method.weights == "uniform":
        return UniformPath(graphs, device)
    if method.weights == "policy":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
            return Policy(graphs, device)
    return Parameters(graphs, method, generator).to(device)
