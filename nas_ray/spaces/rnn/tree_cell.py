"""The recurrent cell of NAS-RL as a layer."""

from __future__ import annotations

import operator
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.spaces.rnn.darts_cell import FUNCTIONS
from nas_ray.spaces.rnn.nets import drawn, zeros
from nas_ray.spaces.rnn.running import State
from nas_ray.spaces.rnn.steps import Step, Tree

METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"add": operator.add, "mult": operator.mul}


class TreeCell(nn.Module):
    """A tree of steps from a word and a state to the next state, `[T, B, E] -> [T, B, H]`.

    The matrices of all leaves are one product for the words of all steps, and one for the state of each.

    Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, section 3.4.
    Differs: as of `RnnTree`.

    Args:
        tree: its steps.
        inputs: E, features of an embedded word.
        width: H, features of a node.
    """

    fused = False

    def __init__(self, tree: Tree, inputs: int, width: int) -> None:
        super().__init__()
        self.tree, self.width = tree, width
        self.input = nn.Linear(inputs, tree.leaves * width, bias=False)
        self.hidden = nn.Linear(width, tree.leaves * width, bias=False)
        drawn(self)

    def begin(self, batch_size: int) -> State:
        """Returns state and cell variable before the first word: zeros `[B, H]`."""
        first = zeros(self, batch_size, self.width)
        return first, torch.zeros_like(first)

    def forward(self, x: Tensor, state: State, hidden: Tensor | None) -> tuple[Tensor, State]:
        """Returns outputs `[T, B, H]` and the last state of embedded words `x [T, B, E]`."""
        h, c = state
        outputs = []
        for words in self.input(x).unbind():
            seen = F.linear(h if hidden is None else h * hidden, self.hidden.weight)
            h, c = self._step(words.chunk(self.tree.leaves, -1), seen.chunk(self.tree.leaves, -1), c)
            outputs.append(h)
        return torch.stack(outputs), (h, c)

    def _step(self, words: tuple[Tensor, ...], seen: tuple[Tensor, ...], c: Tensor) -> tuple[Tensor, Tensor]:
        tree, values, kept = self.tree, list[Tensor](), c
        for node, (method, activation) in enumerate(tree.steps):
            one, other = tree.inputs(node) if node >= tree.leaves else (node, node)
            pair = (values[one], values[other]) if node >= tree.leaves else (words[node], seen[node])
            combined = METHODS[method](*pair)
            if node == tree.read:
                kept = combined
            value = FUNCTIONS[activation](combined)
            values.append(injected(tree.inject, value, c) if node == tree.injected else value)
        return values[-1], kept


def injected(step: Step, value: Tensor, c: Tensor) -> Tensor:
    """Returns what a node gives with the cell variable of the step before."""
    return FUNCTIONS[step[1]](METHODS[step[0]](value, c))
