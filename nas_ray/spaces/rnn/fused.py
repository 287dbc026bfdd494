"""A text through a recurrent cell of DARTS with few calls: a product for each node that others read.

All nodes that read one node are a group: one matrix product gives their gates and candidates, which become
what they are in place. The gradient of a group's weights is a product over some steps at once instead of one
for each, and products go the fastest way that torch has on the processor (`products.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nas_ray.spaces.rnn.fused_back import PART, Back
from nas_ray.spaces.rnn.layout import Layout, halves, joined
from nas_ray.spaces.rnn.products import by_rows, product, transposed_product

IN_PLACE: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.Tensor.tanh_,
    "relu": torch.Tensor.relu_,
    "sigmoid": torch.Tensor.sigmoid_,
    "identity": lambda x: x,
}


class FusedRun(torch.autograd.Function):
    """The outputs `[T, B, H]` of a cell; `darts_cell.step_by_step` is what it computes.

    A backward pass uses up what was kept, so there is one for a forward pass, and no second derivative.
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
        matrices = [weights[0], *(joined(group, weights[1:], width) for group in layout.groups)]
        quick = [by_rows(matrix) for matrix in matrices]
        first = product(x.reshape(-1, x.shape[2]), inputs).view(steps, batch, -1)
        states = x.new_empty(steps if keeps else 1, layout.size, batch, width)
        outputs, kept = x.new_empty(steps, batch, width), []
        before = h
        for step, (words, output) in enumerate(zip(first.unbind(), outputs.unbind(), strict=True)):
            now = states[step if keeps else 0]
            made = through(layout, words, before, hidden, now, quick, output)
            kept += made if keeps else []
            before = output
        if keeps:
            ctx.layout = layout
            ctx.save_for_backward(x, h, hidden, inputs, outputs, states, *matrices, *kept)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Returns the gradients of words, state and weights."""
        layout: Layout = ctx.layout
        x, h, hidden, inputs, outputs, states, *rest = ctx.saved_tensors
        number = len(layout.groups) + 1
        matrices, kept = rest[:number], rest[number:]
        back = Back(layout, hidden, matrices, len(h))
        words = torch.empty(*gradient.shape[:2], 2 * gradient.shape[2], dtype=h.dtype, device=h.device)
        before = [h, *outputs.unbind()]
        for last in range(len(gradient), 0, -PART):
            steps = range(max(0, last - PART), last)
            for step in reversed(steps):
                own = kept[number * step : number * (step + 1)]
                back.step(gradient[step], before[step], states[step], own, step - steps[0])
            words[steps[0] : last] = back.slopes[0][: len(steps)]
            back.add(torch.stack(before[steps[0] : last]), states[steps[0] : last])
        rows, seen = words.flatten(0, 1), x.reshape(-1, x.shape[2])
        of_x = product(rows, inputs.t()).view_as(x) if ctx.needs_input_grad[0] else None
        return of_x, back.carried, None, None, None, transposed_product(seen, rows).t(), *back.gradients()


def through(
    layout: Layout,
    words: Tensor,
    h: Tensor,
    hidden: Tensor | None,
    states: Tensor,
    matrices: list[Tensor],
    output: Tensor,
) -> list[Tensor]:
    """Fills the states `[N, B, H]` and the output of a step; returns gates and candidates of each group."""
    made = [product(h if hidden is None else h * hidden, matrices[0]).add_(words)]
    gate, candidate = made[0].chunk(2, 1)
    places, width = states.unbind(), h.shape[1]
    torch.lerp(h, candidate.tanh_(), gate.sigmoid_(), out=places[0])
    for group, matrix in zip(layout.groups, matrices[1:], strict=True):
        source = places[group.source]
        both = product(source if hidden is None else source * hidden, matrix)
        gates, rows = both.chunk(2, 1)
        gates.sigmoid_()
        if group.size == 1:
            IN_PLACE[group.runs[0][0]](rows)
            torch.lerp(source, rows, gates, out=places[group.first])
        else:
            for op, low, high in group.runs:
                IN_PLACE[op](rows[:, width * low : width * high])
            gates, rows = halves(both, group.size)
            torch.lerp(source, rows, gates, out=states[group.first : group.first + group.size])
        made.append(both)
    chosen = states[1:] if layout.averages_all else states[list(layout.averaged)]
    torch.mean(chosen, 0, out=output)
    return made
