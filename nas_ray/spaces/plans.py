"""What a cell has to compute: operations without effect on what is asked for are left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from nas_ray.spaces.nats_tss import EDGES

INPUT, OUTPUT = 0, EDGES[-1][1]


@dataclass(frozen=True)
class Step:
    """One operation that is computed: `op` on edge number `edge`, from node `source` to node `target`."""

    edge: int
    source: int
    target: int
    op: str


@dataclass(frozen=True)
class CellPlan:
    """What to compute in a cell.

    Attributes:
        steps: in the order of the edges, which is one in which they can be computed.
        readers: for each node the number of ReLUs that see it, in the whole cell.
    """

    steps: tuple[Step, ...]
    readers: tuple[int, ...]


@cache
def plan_cell(ops: tuple[str, ...], observed: bool = False) -> CellPlan:
    """Returns what to compute for the last node, and if `observed` for every node that a ReLU sees.

    A convolution of zeros is zero, since it has no bias and the BN behind it has no shift.

    Args:
        ops: of the edges, in the order of `EDGES`.
        observed: the inputs of all ReLUs are wanted as well, also of those that lead nowhere.
    """
    has_relu = [op.startswith("nor_conv") for op in ops]
    readers = [
        sum(relu for (source, _), relu in zip(EDGES, has_relu, strict=True) if source == node)
        for node in range(OUTPUT + 1)
    ]
    reached = {INPUT}
    for (source, target), op in zip(EDGES, ops, strict=True):
        if source in reached and op != "none":
            reached.add(target)
    wanted = {OUTPUT} | {node for node in range(OUTPUT) if observed and readers[node]}
    for (source, target), op in reversed(list(zip(EDGES, ops, strict=True))):
        if target in wanted and op != "none":
            wanted.add(source)
    steps = tuple(
        Step(edge, source, target, op)
        for edge, ((source, target), op) in enumerate(zip(EDGES, ops, strict=True))
        if op != "none" and source in reached and target in wanted
    )
    return CellPlan(steps, tuple(readers))


def live_ops(ops: tuple[str, ...]) -> tuple[str, ...]:
    """Returns `ops` with `none` in place of every operation without effect on the output.

    Archs with equal live operations are the same function, on equal weights, and equal in every proxy that
    asks for nothing but what reaches the output.
    """
    live = {step.edge: step.op for step in plan_cell(ops).steps}
    return tuple(live.get(edge, "none") for edge in range(len(ops)))


def seen_by_relus(ops: tuple[str, ...]) -> CellPlan:
    """Returns what all ReLUs see: archs for which this is equal have the same inputs of ReLUs."""
    return plan_cell(ops, observed=True)
