"""Several operations on each edge of a cell at once: what searches that prune a supernet score."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor, nn

from nas_ray.spaces.nats_tss import EDGES, OPS, to_ops
from nas_ray.spaces.ops import make_op
from nas_ray.spaces.plans import CellPlan, plan_cell


@dataclass(frozen=True)
class Mixture:
    """A part of a supernet: on each edge the weighted sum of some operations; an arch is one on each.

    Attributes:
        ops: operations of each edge, in the order of `EDGES`; an edge without any gives zeros.
        weights: what the output of each is multiplied by.
    """

    ops: tuple[tuple[str, ...], ...]
    weights: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, weights: Iterable[Iterable[float]]) -> Mixture:
        """Returns the mixture of a table `[edges, ops]` in the order of `EDGES` and `OPS`; 0 is not there."""
        there = [
            [(op, float(weight)) for op, weight in zip(OPS, row, strict=True) if weight] for row in weights
        ]
        ops = tuple(tuple(op for op, _ in edge) for edge in there)
        return cls(ops, tuple(tuple(weight for _, weight in edge) for edge in there))

    def weight(self, edge: int, op: str) -> float:
        """Returns what the output of an operation that is there is multiplied by."""
        return self.weights[edge][self.ops[edge].index(op)]

    def plan(self, observed: bool = False) -> CellPlan:
        """Returns what to compute, as `plan_cell`."""
        return plan_cell(self.ops, observed)

    def seen(self, observed: bool = False) -> Hashable:
        """Returns what the output sees, or if `observed` all ReLUs: those of equal ones have equal scores."""
        plan = self.plan(observed)
        weights = tuple(self.weight(step.edge, step.op) for step in plan.steps)
        return (plan if observed else plan.steps), weights

    @cached_property
    def skip_spans(self) -> tuple[int, ...]:
        """How many nodes each `skip_connect` reaches ahead."""
        return tuple(
            target - source
            for (source, target), ops in zip(EDGES, self.ops, strict=True)
            if "skip_connect" in ops
        )

    @property
    def live_ops(self) -> tuple[str, ...]:
        """The operations that the output sees."""
        return self.plan().ops

    @property
    def live_paths(self) -> tuple[tuple[str, ...], ...]:
        """The operations on each path from input to output."""
        return self.plan().paths


Arch = str | Mixture
"""One operation on each edge, or several."""


def mixture_of(arch: Arch) -> Mixture:
    """Returns an arch as a mixture of one operation on each edge; a mixture is its own.

    Raises:
        UsageError: not an arch of NATS-TSS.
    """
    return arch if isinstance(arch, Mixture) else _of_arch(arch)


@lru_cache(maxsize=16_384)
def _of_arch(arch: str) -> Mixture:
    return Mixture(tuple((op,) for op in to_ops(arch)), ((1.0,),) * len(EDGES))


class MixedEdge(nn.ModuleDict):
    """The weighted sum of operations, each a module of its own; `[B, C, H, W] -> [B, C, H, W]`."""

    def __init__(self, ops: Sequence[str], weights: Sequence[float], channels: int) -> None:
        super().__init__({op: make_op(op, channels) for op in ops})
        self.weights = tuple(weights)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the sum; zeros without any operation."""
        total = x * 0.0
        for weight, op in zip(self.weights, self.values(), strict=True):
            total = total + weight * op(x)
        return total


def with_mixed_edges(net: nn.Module, mixture: Mixture, channels: Sequence[int]) -> nn.Module:
    """Returns `net`, a plain net of NATS-TSS, with the operations of `mixture` in its cells.

    Args:
        net: whose cells are changed.
        mixture: what their edges are.
        channels: width of each cell.
    """
    cells = [module for module in net.modules() if hasattr(module, "edges")]
    for cell, width in zip(cells, channels, strict=True):
        made = zip(mixture.ops, mixture.weights, strict=True)
        cell.edges = nn.ModuleList(MixedEdge(ops, weights, width) for ops, weights in made)
    net.skip_spans, net.live_ops = mixture.skip_spans, mixture.live_ops  # type: ignore[assignment]
    net.live_paths = mixture.live_paths  # type: ignore[assignment]
    return net


def weights_of(mixtures: Sequence[Mixture], edge: int, op: str) -> Tensor | None:
    """Returns the weights `[n]` in float64 of an operation in mixtures that have it; None if all are 1."""
    weights = [mixture.weight(edge, op) for mixture in mixtures]
    return None if all(weight == 1 for weight in weights) else torch.tensor(weights, dtype=torch.float64)
