"""What a cell has to compute: operations without effect on what is asked for are left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

EDGES: tuple[tuple[int, int], ...] = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The edges `(from node, to node)` of the cell, in the order of the arch string."""

INPUT, OUTPUT = 0, EDGES[-1][1]


def skip_spans(ops: tuple[str, ...]) -> tuple[int, ...]:
    """Returns for each `skip_connect` of the cell how many nodes it reaches ahead."""
    return tuple(j - i for (i, j), op in zip(EDGES, ops, strict=True) if op == "skip_connect")


@dataclass(frozen=True)
class Step:
    """One operation that is computed: `op` on edge number `edge`, from node `source` to node `target`."""

    edge: int
    source: int
    target: int
    op: str

    @property
    def is_convolution(self) -> bool:
        """Whether the operation is a ReLU, a convolution and BN."""
        return self.op.startswith("nor_conv")


@dataclass(frozen=True)
class CellPlan:
    """What to compute in a cell.

    Attributes:
        steps: in the order of the edges, which is one in which they can be computed.
        readers: for each node the number of ReLUs that see it, in the whole cell.
    """

    steps: tuple[Step, ...]
    readers: tuple[int, ...]

    @property
    def ops(self) -> tuple[str, ...]:
        """The operations that are computed, in the order of the edges."""
        return tuple(step.op for step in self.steps)

    @cached_property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """The operations on each path from the input of the cell to its output."""
        ways: dict[int, list[tuple[str, ...]]] = {INPUT: [()]}
        for step in self.steps:
            ways.setdefault(step.target, []).extend((*way, step.op) for way in ways.get(step.source, []))
        return tuple(ways.get(OUTPUT, []))


@cache
def every_step(ops: tuple[str | tuple[str, ...], ...]) -> tuple[Step, ...]:
    """Returns the operations of a cell but `none`, in the order of the edges.

    Args:
        ops: of the edges, in the order of `EDGES`: one, or several whose outputs are added.
    """
    return tuple(
        Step(edge, source, target, op)
        for edge, ((source, target), own) in enumerate(zip(EDGES, ops, strict=True))
        for op in ((own,) if isinstance(own, str) else own)
        if op != "none"
    )


@cache
def plan_cell(ops: tuple[str | tuple[str, ...], ...], observed: bool = False) -> CellPlan:
    """Returns what to compute for the last node, and if `observed` for every node that a ReLU sees.

    A convolution of zeros is zero, since it has no bias and the BN behind it has no shift.

    Args:
        ops: of the edges, in the order of `EDGES`: one, or several whose outputs are added.
        observed: the inputs of all ReLUs are wanted as well, also of those that lead nowhere.
    """
    every = every_step(ops)
    relus = [step.source for step in every if step.is_convolution]
    readers = tuple(relus.count(node) for node in range(OUTPUT + 1))
    reached = {INPUT}
    for step in every:
        if step.source in reached:
            reached.add(step.target)
    wanted = {OUTPUT} | {node for node in range(OUTPUT) if observed and readers[node]}
    for step in reversed(every):
        if step.target in wanted:
            wanted.add(step.source)
    steps = tuple(step for step in every if step.source in reached and step.target in wanted)
    return CellPlan(steps, readers)


def live_ops(ops: tuple[str, ...]) -> tuple[str, ...]:
    """Returns `ops` with `none` in place of every operation without effect on the output.

    Archs with equal live operations are the same function, on equal weights, and equal in every proxy that
    asks for nothing but what reaches the output.
    """
    live = {step.edge: step.op for step in plan_cell(ops).steps}
    return tuple(live.get(edge, "none") for edge in range(len(ops)))
