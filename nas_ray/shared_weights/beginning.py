"""What archs that are scored one after the other have in common: the stem and the nodes of the first cell."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.spaces.plans import INPUT, OUTPUT, CellPlan

MOST = 20
"""Maps that are kept: about those that change between neighbours, where alike archs stand side by side."""

Result = TypeVar("Result")


class Beginning:
    """Keeps maps of the first cell, for views of one supernet with fixed weights on one minibatch.

    In later cells every arch has its own input, and nothing is in common. Maps are those that each view would
    compute, to the last bit. Nothing is kept for a backward pass.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._maps: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._results: dict[Hashable, dict[Callable[[Tensor], Any], Any]] = {}  # of each map, by function

    def map(self, key: Hashable, compute: Callable[[], Tensor]) -> Tensor:
        """Returns the map that is kept as `key`, or computes and keeps it."""
        if torch.is_grad_enabled():
            return compute()
        key = key, torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")
        if key not in self._maps:
            self._maps[key] = compute()
        self._maps.move_to_end(key)
        found = self._maps[key]
        while len(self._maps) > self._most:
            old, _ = self._maps.popitem(last=False)
            self._results.pop(old, None)
        return found

    def once(self, value: Tensor, function: Callable[[Tensor], Result]) -> Result:
        """Returns `function(value)`, computed once for a map that is kept."""
        key = next((key for key, kept in self._maps.items() if kept is value), None)
        if key is None:
            return function(value)
        results = self._results.setdefault(key, {})
        if function not in results:
            results[function] = function(value)
        return cast(Result, results[function])

    def nodes(
        self,
        x: Tensor,
        plan: CellPlan,
        edges: Iterable[nn.Module],
        weight: Callable[[int, str], float] = lambda edge, op: 1.0,
    ) -> dict[int, Tensor]:
        """Returns what `CellView.nodes` does; `x` is the same for all archs.

        Args:
            x: input of the cell.
            plan: what to compute.
            edges: the operations.
            weight: what the output of an operation of an edge is multiplied by.
        """
        nodes: dict[int, Tensor] = {INPUT: x}
        names: dict[int, Hashable] = {INPUT: INPUT}
        for step, op in zip(plan.steps, edges, strict=True):
            out, name = nodes[step.source], names[step.source]
            if step.op.startswith("nor_conv"):
                out = self.map((name, "relu"), partial(F.relu, out))
            if step.op != "skip_connect":
                name = (name, step.edge, step.op)
                out = self.map(name, partial(op, out))
            if (times := weight(step.edge, step.op)) != 1:
                name, out = (name, times), times * out
            if step.target in nodes:
                name, both = (names[step.target], name), partial(torch.add, nodes[step.target], out)
                out = both() if step.target == OUTPUT else self.map(name, both)
            nodes[step.target], names[step.target] = out, name
        return nodes
