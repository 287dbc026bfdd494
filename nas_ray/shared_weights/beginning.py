"""What archs that are scored one after the other have in common: the stem and the nodes of the first cell."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nas_ray.shared_weights.normed import Term, summed, weighted
from nas_ray.spaces.plans import INPUT, OUTPUT, CellPlan

MOST = 20
"""Maps that are kept: about those that change between neighbours, where alike archs stand side by side."""

Result = TypeVar("Result")
T = TypeVar("T", bound=Term)


class Beginning:
    """Keeps maps of the first cell, for views of one supernet with fixed weights on one minibatch.

    In later cells every arch has its own input, and nothing is in common. Maps are those that each view would
    compute, to the last bit. Nothing is kept for a backward pass.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._maps: OrderedDict[Hashable, Term] = OrderedDict()
        self._results: dict[Hashable, dict[Callable[[Tensor], Any], Any]] = {}  # of each map, by function

    def map(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Returns the map, or the term of a sum, that is kept as `key`, or computes and keeps it."""
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
        return cast(T, found)

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
        edges: Iterable[Callable[[Tensor], Term]],
        weight: Callable[[int, str], float],
    ) -> dict[int, Tensor]:
        """Returns what `computed` of a view does, to the last bit; `x` is the same for all archs."""
        nodes: dict[int, Tensor] = {INPUT: x}
        names: dict[int, Hashable] = {INPUT: INPUT}
        steps = zip(plan.steps, edges, strict=True)
        for target, into in itertools.groupby(steps, lambda one: one[0].target):
            terms: list[Term] = []
            parts: list[Hashable] = []
            for step, op in into:
                out, name = nodes[step.source], names[step.source]
                if step.is_convolution:
                    out = self.map((name, "relu"), partial(F.relu, out))
                term: Term = out
                if step.op != "skip_connect":
                    name = (name, step.edge, step.op)
                    term = self.map(name, partial(op, out))
                times = weight(step.edge, step.op)
                terms.append(weighted(term, times))
                parts.append((name, times))
            names[target] = tuple(parts)
            whole = partial(summed, terms, kept=True)
            nodes[target] = whole() if target == OUTPUT else self.map(names[target], whole)
        return nodes
