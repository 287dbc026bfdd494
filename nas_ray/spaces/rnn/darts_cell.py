"""The recurrent cell of DARTS as a layer: step by step as it is defined, or fused (`fused.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.spaces.rnn.cells import RecurrentCell
from nas_ray.spaces.rnn.fused import FusedRun
from nas_ray.spaces.rnn.layout import Layout
from nas_ray.spaces.rnn.nets import by_operations, drawn, zeros
from nas_ray.spaces.rnn.running import State

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class DartsCell(nn.Module):
    """A cell of nodes that each read one earlier node through a gate, `[T, B, E] -> [T, B, H]`.

    The output of a step is the mean of nodes, and the state of the next.

    Source: Liu et al., "DARTS", ICLR 2019, section 2.3 and the release; the gates are those of Zilly et al.,
    "Recurrent Highway Networks", ICML 2017.
    Differs: none known.

    Args:
        cell: its nodes.
        inputs: E, features of an embedded word.
        width: H, features of a node.
    """

    def __init__(self, cell: RecurrentCell, inputs: int, width: int) -> None:
        super().__init__()
        self.plan, self.width, self.fused = cell, width, True
        self.first_input = nn.Linear(inputs, 2 * width, bias=False)
        self.first_hidden = nn.Linear(width, 2 * width, bias=False)
        self.nodes = nn.ModuleList(nn.Linear(width, 2 * width, bias=False) for _ in cell.nodes)
        self.layout = Layout.of(cell)
        drawn(self)

    def begin(self, batch_size: int) -> State:
        """Returns the state before the first word: zeros `[B, H]`."""
        return (zeros(self, batch_size, self.width),)

    def forward(self, x: Tensor, state: State, hidden: Tensor | None) -> tuple[Tensor, State]:
        """Returns outputs `[T, B, H]` and the last of them, of embedded words `x [T, B, E]`."""
        weights = [self.first_hidden.weight, *(node.get_parameter("weight") for node in self.nodes)]
        if by_operations(self, x):
            first = self.first_input(x)  # of all steps at once
            outputs = step_by_step(self.plan, first, state[0], hidden, weights)
        else:
            inputs, keeps = self.first_input.weight, torch.is_grad_enabled()
            outputs = FusedRun.apply(x, state[0], hidden, self.layout, keeps, inputs, *weights)
        return outputs, (outputs[-1],)


def step_by_step(
    cell: RecurrentCell, first: Tensor, h: Tensor, hidden: Tensor | None, weights: Sequence[Tensor]
) -> Tensor:
    """Returns the outputs `[T, B, H]` of a cell as it is defined.

    Args:
        cell: its nodes.
        first: what the words give to node 0, `[T, B, 2 H]`.
        h: the state `[B, H]`.
        hidden: what states are multiplied by before a matrix, `[B, H]`; None for 1.
        weights: `[2 H, H]` of node 0, which reads the state, and of the others.
    """
    outputs = []
    for words in first.unbind():
        states = [gated(h, words + F.linear(masked(h, hidden), weights[0]), torch.tanh)]
        for (op, source), weight in zip(cell.nodes, weights[1:], strict=True):
            before = states[source]
            states.append(gated(before, F.linear(masked(before, hidden), weight), FUNCTIONS[op]))
        h = torch.stack([states[node] for node in cell.outputs]).mean(0)
        outputs.append(h)
    return torch.stack(outputs)


def gated(before: Tensor, both: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns a node that comes from `before` through a gate; `both [B, 2 H]` is gate and candidate."""
    gate, candidate = both.chunk(2, -1)
    gate = torch.sigmoid(gate)
    return (1 - gate) * before + gate * function(candidate)


def masked(x: Tensor, hidden: Tensor | None) -> Tensor:
    """Returns a state as matrices see it."""
    return x if hidden is None else x * hidden
