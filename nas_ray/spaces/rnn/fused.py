"""A text through a recurrent cell of DARTS with few calls: a product for each node that others read.

All nodes that read one node are a group: one matrix product gives their gates and candidates, which become
what they are in place and are all that is kept. The gradient of a group's weights is a product over some
steps at once instead of one for each, and products go the fastest way that torch has on the processor
(`products.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nas_ray.spaces.rnn.fused_back import PART, Back
from nas_ray.spaces.rnn.layout import Halves, Layout, Seat, chosen, joined, seats
from nas_ray.spaces.rnn.products import ordered, product

IN_PLACE: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda x: x.mul_(2).sigmoid_().mul_(2).sub_(1),  # torch's own is slow on some processors
    "relu": torch.Tensor.relu_,
    "sigmoid": torch.Tensor.sigmoid_,
    "identity": lambda x: x,
}


class FusedRun(torch.autograd.Function):
    """The outputs `[T, B, H]` of a cell; `darts_cell.step_by_step` is what it computes.

    What is quickly made again, the nodes, is not kept. There is no second derivative.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h: Tensor,
        hidden: Tensor | None,
        layout: Layout,
        keeps: bool,
        inputs: Tensor,
        *weights: Tensor,
    ) -> Tensor:
        """Returns the outputs of embedded words `x [T, B, E]`, which meet the matrix `inputs [2 H, E]`.

        `keeps` for a backward pass; the rest is as for `step_by_step`.
        """
        (steps, batch), width = x.shape[:2], h.shape[1]
        matrices = [joined(group, weights, width) for group in layout.groups]
        quick = [ordered(matrix, batch, steps) for matrix in matrices]
        first = product(x.reshape(-1, x.shape[2]), inputs).view(steps, batch, -1)
        states = x.new_empty(layout.size, batch, width)
        places, outputs = seats(layout, states), x.new_empty(steps, batch, width)
        kept, before = [], h
        for words, output in zip(first.unbind(), outputs.unbind(), strict=True):
            made = through(layout, places, words, before, hidden, quick)
            torch.mean(chosen(layout, states), 0, out=output)
            kept += made if keeps else []
            before = output
        if keeps:
            ctx.layout = layout
            ctx.save_for_backward(x, h, hidden, inputs, outputs, *matrices, *kept)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Returns the gradients of words, state and weights."""
        layout: Layout = ctx.layout
        x, h, hidden, inputs, outputs, *rest = ctx.saved_tensors
        number = len(layout.groups)
        matrices, kept = rest[:number], rest[number:]
        back = Back(layout, hidden, matrices, len(h), len(outputs))
        before, of_x = [h, *outputs.unbind()], []
        for last in range(len(outputs), 0, -PART):
            first = max(0, last - PART)
            for step in range(last - 1, first - 1, -1):
                made = kept[number * step : number * (step + 1)]
                back.step(gradient[step], before[step], made, step - first)
            back.add(x[first:last], torch.stack(before[first:last]))
            if ctx.needs_input_grad[0]:
                of_x.append(product(back.slopes[0][: last - first].flatten(0, 1), inputs.t()))
        of_inputs, *of_weights = back.gradients()
        of_words = torch.cat(of_x[::-1]).view_as(x) if of_x else None
        return of_words, back.carried, None, None, None, of_inputs, *of_weights


def through(
    layout: Layout,
    places: list[Seat],
    words: Tensor,
    h: Tensor,
    hidden: Tensor | None,
    matrices: list[Tensor],
) -> list[Tensor]:
    """Fills the nodes of a step in their places; returns gates and candidates of each group, `[B, 2 n H]`."""
    made = []
    for group, seat, matrix in zip(layout.groups, places, matrices, strict=True):
        source = seat.read(h)
        both = product(source if hidden is None else source * hidden, matrix)
        if seat.source is None:
            both.add_(words)
        gates, candidates, runs = Halves.of(group, both)
        gates.sigmoid_()
        for (op, _, _), run in zip(group.runs, runs, strict=True):
            IN_PLACE[op](run)
        torch.lerp(source, candidates, gates, out=seat.nodes)
        made.append(both)
    return made
