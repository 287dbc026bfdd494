"""The backward pass of the fused recurrent cell."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_ray.spaces.rnn.layout import FIRST, Layout, halves
from nas_ray.spaces.rnn.products import product, transposed_product

PART = 7
"""Steps whose gradients of weights are computed together: many for a fast product, few for caches."""


def backward_in_place(op: str, gradient: Tensor, result: Tensor) -> None:
    """Turns the gradient of what an activation gave into that of what it was given."""
    if op == "tanh":
        torch.ops.aten.tanh_backward.grad_input(gradient, result, grad_input=gradient)
    elif op == "sigmoid":
        torch.ops.aten.sigmoid_backward.grad_input(gradient, result, grad_input=gradient)
    elif op == "relu":
        torch.ops.aten.threshold_backward.grad_input(gradient, result, 0, grad_input=gradient)


class Back:
    """The backward pass of a cell, step by step from the last.

    Attributes:
        slopes: gradients of what matrices gave, of node 0 and of each group, `[PART, B, 2 n H]`.
        carried: gradient of the state before the step that was done last.
    """

    def __init__(self, layout: Layout, hidden: Tensor | None, matrices: list[Tensor], batch: int) -> None:
        self.layout, self.hidden = layout, hidden
        width = matrices[0].shape[1]
        self.turned = [matrix.t() for matrix in matrices]
        self.slopes = [matrix.new_empty(PART, batch, len(matrix)) for matrix in matrices]
        self.sums: list[Tensor | None] = [None] * len(matrices)
        self.places = matrices[0].new_empty(layout.size, batch, width)
        self.carried = matrices[0].new_zeros(batch, width)

    def step(self, gradient: Tensor, before: Tensor, states: Tensor, kept: list[Tensor], place: int) -> None:
        """Goes back through one step, whose slopes come to `place`; uses up `kept`."""
        layout, places = self.layout, self.places
        own = torch.add(gradient, self.carried).div_(len(layout.averaged))
        if layout.averages_all:
            places[0].zero_()
            places[1:] = own
        else:
            places.zero_()
            places[list(layout.averaged)] = own.expand(len(layout.averaged), -1, -1)
        for number in range(len(layout.groups), 0, -1):
            group = layout.groups[number - 1]
            one = group.size == 1
            of = places[group.first] if one else places[group.first : group.first + group.size]
            rest = self._gates(number, group.runs, of, states[group.source], kept[number], place)
            self._into(places[group.source].add_(rest if one else rest.sum(0)), number, place)
        self.carried = self._gates(0, FIRST, places[0], before, kept[0], place)
        self._into(self.carried, 0, place)

    def _gates(
        self,
        number: int,
        runs: tuple[tuple[str, int, int], ...],
        of: Tensor,
        source: Tensor,
        kept: Tensor,
        place: int,
    ) -> Tensor:
        """Fills the slopes of gates and candidates; returns what goes past the gates, `[n, B, H]`."""
        slope, width = self.slopes[number][place], of.shape[-1]
        count = 1 if of.dim() == 2 else len(of)
        (gates, candidates), (of_gates, of_candidates) = halves(kept, count), halves(slope, count)
        torch.mul(of, gates, out=of_candidates)
        rest = of - of_candidates
        torch.sub(candidates, source, out=of_gates).mul_(of)
        backward_in_place("sigmoid", of_gates, gates)
        if count == 1:
            backward_in_place(runs[0][0], of_candidates, candidates)
            return rest
        for op, low, high in runs:
            columns = slice(width * (count + low), width * (count + high))
            backward_in_place(op, slope[:, columns], kept[:, columns])
        return rest

    def _into(self, gradient: Tensor, number: int, place: int) -> None:
        """Adds what comes back through a matrix to the gradient of the node that it reads."""
        through = product(self.slopes[number][place], self.turned[number])
        if self.hidden is None:
            gradient.add_(through)
        else:
            gradient.addcmul_(through, self.hidden)

    def add(self, before: Tensor, states: Tensor) -> None:
        """Adds the gradients of weights in some steps, of outputs before and states `[k, (N), B, H]`."""
        sources = [before, *(states[:, group.source] for group in self.layout.groups)]
        for number, (slope, source) in enumerate(zip(self.slopes, sources, strict=True)):
            seen = source if self.hidden is None else source * self.hidden
            found = transposed_product(seen.reshape(-1, seen.shape[-1]), slope[: len(seen)].flatten(0, 1))
            before_it = self.sums[number]
            self.sums[number] = found if before_it is None else before_it.add_(found)

    def gradients(self) -> list[Tensor | None]:
        """Returns the gradient of each weight, node 0 first."""
        width, first = self.places.shape[-1], self.sums[0]
        found = [None if first is None else first.t(), *([None] * (self.layout.size - 1))]
        for group, both in zip(self.layout.groups, self.sums[1:], strict=True):
            assert both is not None
            parts = both.t().reshape(2, group.size, width, -1)
            for place, member in enumerate(group.members):
                found[member + 1] = parts[:, place].flatten(0, 1)
        return found
