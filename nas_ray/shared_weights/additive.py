"""Proxies that are a sum over the edges of the cell: a table of single operations gives every arch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from nas_ray.proxies import PROXIES
from nas_ray.shared_weights.mixture import Arch, mixture_of
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces.nats_tss import EDGES, OPS, to_arch

Key = tuple[str, tuple[int, ...]]
_tables: WeakKeyDictionary[Supernet, dict[Key, Tensor]] = WeakKeyDictionary()


def sum_over_edges(name: str) -> Callable[[Supernet, Sequence[Arch], Tensor, Tensor], Tensor]:
    """Returns the batched form of the plain proxy `name`, which must be additive over edges."""
    return partial(_sum_over_edges, name)


def _sum_over_edges(
    name: str, supernet: Supernet, archs: Sequence[Arch], inputs: Tensor, targets: Tensor
) -> Tensor:
    tables = _tables.setdefault(supernet, {})
    key = name, tuple(inputs.shape[2:])
    if key not in tables:
        tables[key] = edge_table(name, supernet, inputs[:1], targets[:1])
    table = tables[key]
    there = [
        (place, edge, OPS.index(op))
        for place, arch in enumerate(archs)
        for edge, ops in enumerate(mixture_of(arch).ops)
        for op in ops
    ]
    places, edges, ops = torch.tensor(there, dtype=torch.long).view(-1, 3).unbind(1)
    sums = torch.zeros(len(archs), dtype=torch.float64).index_add(0, places, table[edges, ops])
    return table[-1, 0] + sums


def edge_table(name: str, supernet: Supernet, inputs: Tensor, targets: Tensor) -> Tensor:
    """Returns `[edges + 1, ops]` in float64: what each operation adds; the last row begins with the rest."""
    nothing = ("none",) * len(EDGES)
    table = torch.zeros(len(EDGES) + 1, len(OPS), dtype=torch.float64)

    def value(ops: tuple[str, ...]) -> float:
        return cast(float, PROXIES[name](supernet.extract(to_arch(ops)), inputs, targets))

    table[-1, 0] = rest = value(nothing)
    for edge in range(len(EDGES)):
        for column, op in enumerate(OPS):
            if op != "none":
                table[edge, column] = value((*nothing[:edge], op, *nothing[edge + 1 :])) - rest
    return table
