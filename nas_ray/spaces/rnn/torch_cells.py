"""LSTM, GRU and the plain RNN as layers, with masks that are constant over time."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.spaces.rnn.nets import by_operations, zeros
from nas_ray.spaces.rnn.running import State

Step = Callable[[Tensor, Tensor, State], State]
"""`(what the word gives, what the state gives, state) -> next state`, of which the first is the output."""


def lstm_step(words: Tensor, hidden: Tensor, state: State) -> State:
    """Returns the next state and cell of an LSTM."""
    take, forget, candidate, show = (words + hidden).chunk(4, -1)
    c = torch.sigmoid(forget) * state[1] + torch.sigmoid(take) * torch.tanh(candidate)
    return torch.sigmoid(show) * torch.tanh(c), c


def gru_step(words: Tensor, hidden: Tensor, state: State) -> State:
    """Returns the next state of a GRU, whose reset gate comes after the matrix, as in torch."""
    (r_x, z_x, n_x), (r_h, z_h, n_h) = words.chunk(3, -1), hidden.chunk(3, -1)
    keep = torch.sigmoid(z_x + z_h)
    new = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
    return ((1 - keep) * new + keep * state[0],)


def rnn_step(words: Tensor, hidden: Tensor, state: State) -> State:
    """Returns the next state of a plain RNN."""
    return (torch.tanh(words + hidden),)


STEPS: dict[str, tuple[Step, int]] = {"lstm": (lstm_step, 4), "gru": (gru_step, 3), "rnn": (rnn_step, 1)}
"""By kind the step, and how many times H a matrix has as rows."""


class TorchCell(nn.Module):
    """An LSTM, GRU or plain RNN of one layer, `[T, B, E] -> [T, B, H]`.

    Its matrices are linear layers, so proxies of weights see them; without masks and hooks of functions it
    is torch's own kernel, weight for weight.

    Args:
        kind: `lstm`, `gru` or `rnn`.
        inputs: E, features of an embedded word.
        width: H, features of the state.
    """

    def __init__(self, kind: str, inputs: int, width: int) -> None:
        super().__init__()
        self.kind, self.width, self.fused = kind, width, True
        self.step, rows = STEPS[kind]
        self.input = nn.Linear(inputs, rows * width)
        self.hidden = nn.Linear(width, rows * width)
        bound = 1 / math.sqrt(width)  # as torch draws them
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def begin(self, batch_size: int) -> State:
        """Returns the state before the first word: zeros `[B, H]`, of the LSTM two."""
        first = zeros(self, batch_size, self.width)
        return (first, torch.zeros_like(first)) if self.kind == "lstm" else (first,)

    def forward(self, x: Tensor, state: State, hidden: Tensor | None) -> tuple[Tensor, State]:
        """Returns outputs `[T, B, H]` and the last state of embedded words `x [T, B, E]`."""
        if hidden is None and not by_operations(self, x):
            return self._by_torch(x, state)
        outputs = []
        for words in self.input(x).unbind():
            seen = state[0] if hidden is None else state[0] * hidden
            state = self.step(words, F.linear(seen, self.hidden.weight, self.hidden.bias), state)
            outputs.append(state[0])
        return torch.stack(outputs), state

    def _by_torch(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        weights = [self.input.weight, self.hidden.weight, self.input.bias, self.hidden.bias]
        rest = weights, True, 1, 0.0, self.training, False, False
        first = [one.unsqueeze(0).contiguous() for one in state]
        if self.kind == "lstm":
            outputs, h, c = torch.lstm(x.contiguous(), first, *rest)
            return outputs, (h[0], c[0])
        made = torch.gru if self.kind == "gru" else torch.rnn_tanh
        outputs, h = made(x.contiguous(), first[0], *rest)
        return outputs, (h[0],)
