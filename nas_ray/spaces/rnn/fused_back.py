"""The backward pass of the fused recurrent cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nas_ray.spaces.rnn.layout import Group, Halves, Layout, seats
from nas_ray.spaces.rnn.products import ordered, product, transposed_product

PART = 18
"""Steps whose gradients of weights are computed together: many for a fast product, few for caches."""

_ATEN = torch.ops.aten
BACK: dict[str, Callable[[Tensor, Tensor], object]] = {
    "tanh": lambda slope, made: _ATEN.tanh_backward.grad_input(slope, made, grad_input=slope),
    "relu": lambda slope, made: _ATEN.threshold_backward.grad_input(slope, made, 0, grad_input=slope),
    "sigmoid": lambda slope, made: _ATEN.sigmoid_backward.grad_input(slope, made, grad_input=slope),
    "identity": lambda slope, made: None,
}
"""Turn the gradient of what an activation made into that of what it was given."""


class Back:
    """The backward pass of a cell, step by step from the last.

    Attributes:
        slopes: gradients of what the matrix of each group gave, `[P, B, 2 n H]` with up to `PART` steps.
        carried: gradient of the state before the step that was done last.
    """

    def __init__(
        self, layout: Layout, hidden: Tensor | None, matrices: Sequence[Tensor], batch: int, steps: int
    ) -> None:
        self.layout, self.hidden, together = layout, hidden, min(steps, PART)
        self.turned = [ordered(matrix.t(), batch, steps) for matrix in matrices]
        self.slopes = [matrix.new_empty(together, batch, len(matrix)) for matrix in matrices]
        self.sums: list[Tensor | None] = [None] * (len(matrices) + 1)
        self.carried = matrices[0].new_zeros(batch, matrices[0].shape[1])
        self.places = self.carried.new_empty(layout.size, *self.carried.shape)
        self.nodes, self.seats = self.places.unbind(), seats(layout, self.places)
        self.states = self.places.new_empty(together, *self.places.shape)
        self.seats_of_states = [seats(layout, states) for states in self.states.unbind()]
        self.halves = [
            [Halves.of(group, own) for group, own in zip(layout.groups, slopes, strict=True)]
            for slopes in zip(*(slope.unbind() for slope in self.slopes), strict=True)
        ]

    def step(self, gradient: Tensor, before: Tensor, kept: Sequence[Tensor], place: int) -> None:
        """Goes back through one step, whose slopes and states come to `place`."""
        layout, made, halves = self.layout, self.seats_of_states[place], []
        for group, seat, both in zip(layout.groups, made, kept, strict=True):
            halves.append(Halves.of(group, both))
            torch.lerp(seat.read(before), halves[-1].candidates, halves[-1].gates, out=seat.nodes)
        own = torch.add(gradient, self.carried).div_(len(layout.averaged))
        self.carried.zero_()
        if layout.averages_all:
            self.nodes[0].zero_()
            self.places[1:] = own
        else:
            self.places.zero_()
            self.places[list(layout.averaged)] = own.expand(len(layout.averaged), -1, -1)
        for number in range(len(kept) - 1, -1, -1):
            group, seat, source = layout.groups[number], self.seats[number], made[number].read(before)
            slope = self.halves[place][number]
            through_gates(group, seat.nodes, slope, halves[number], made[number].nodes, source)
            of_source = seat.read(self.carried)
            for node in self.nodes[group.places]:
                of_source.add_(node)
            through = product(self.slopes[number][place], self.turned[number])
            if self.hidden is None:
                of_source.add_(through)
            else:
                of_source.addcmul_(through, self.hidden)

    def add(self, x: Tensor, before: Tensor) -> None:
        """Adds the gradients of weights in the first steps, of words `[k, B, E]` and outputs before them."""
        for number, (group, slope) in enumerate(zip(self.layout.groups, self.slopes, strict=True)):
            source = before if group.source is None else self.states[: len(before), group.source]
            self._add(number, source if self.hidden is None else source * self.hidden, slope)
        self._add(-1, x, self.slopes[0])

    def _add(self, number: int, seen: Tensor, slope: Tensor) -> None:
        """Adds the gradient of a matrix that read `seen [k, B, .]`."""
        found = transposed_product(seen.flatten(0, 1), slope[: len(seen)].flatten(0, 1))
        before = self.sums[number]
        self.sums[number] = found if before is None else before.add_(found)

    def gradients(self) -> list[Tensor | None]:
        """Returns the gradients of the matrix that reads the words and of the weights, node 0 first."""
        *of_groups, of_inputs = (None if one is None else one.t() for one in self.sums)
        found: list[Tensor | None] = [None] * self.layout.size
        for group, both in zip(self.layout.groups, of_groups, strict=True):
            assert both is not None
            of_nodes = both.view(2, group.size, -1, both.shape[1]).unbind(1)
            for member, own in zip(group.members, of_nodes, strict=True):
                found[member] = own.flatten(0, 1)
        return [of_inputs, *found]


def through_gates(
    group: Group, of: Tensor, slope: Halves, made: Halves, states: Tensor, source: Tensor
) -> None:
    """Fills the slopes of a group from the gradients `of` its nodes; leaves in these what passes the gates.

    A state is `source + gate * (candidate - source)`.
    """
    torch.mul(of, made.gates, out=slope.candidates)
    past = of.sub_(slope.candidates)
    torch.sub(states, source, out=slope.gates).mul_(past)
    for (op, _, _), of_run, run in zip(group.runs, slope.runs, made.runs, strict=True):
        BACK[op](of_run, run)
