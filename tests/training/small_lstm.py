"""Small nets that read words, for tests of language training: an LSTM, and one without a state."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.training.recurrent import Dropouts, Ran, State


def masked(inputs: Tensor, share: float, training: bool) -> Tensor:
    """Returns `[B, T, H]` with one mask for all steps of a stream."""
    if not training or not share:
        return inputs
    mask = inputs.new_empty(len(inputs), 1, inputs.shape[2]).bernoulli_(1 - share)
    return inputs * mask / (1 - share)


class SmallLstm(nn.Module):
    """Embedding, LSTM and decoder of one width."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.dropouts = Dropouts()
        self.embedding = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.decoder = nn.Linear(width, words)
        self.decoder.weight = self.embedding.weight
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.run(tokens, self.begin(len(tokens))).logits

    def begin(self, batch_size: int) -> State:
        zero = self.embedding.weight.new_zeros(batch_size, self.lstm.hidden_size)
        return zero, zero

    def run(self, tokens: Tensor, state: State) -> Ran:
        embedded = masked(self.embedding(tokens), self.dropouts.embedding, self.training)
        hidden, cell = state
        outputs, (hidden, cell) = self.lstm(embedded, (hidden[None], cell[None]))
        dropped = masked(outputs, self.dropouts.output, self.training)
        return Ran(self.decoder(dropped), outputs, dropped, (hidden[0], cell[0]))


class SmallLstms:
    """LSTMs of a few widths."""

    def sample(self, rng: np.random.Generator) -> str:
        return str(4 * rng.integers(2, 7))

    def neighbors(self, arch: str) -> list[str]:
        return [str(width) for width in (int(arch) - 4, int(arch) + 4) if 8 <= width <= 24]

    def build(self, arch: str, num_outputs: int) -> nn.Module:
        return SmallLstm(num_outputs, int(arch))


class Forgetful(nn.Module):
    """Tells a word from the last one, without a state."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.table, self.decoder = nn.Embedding(words, 8), nn.Linear(8, words)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.decoder(self.table(tokens))
        return out


class Bigrams:
    """One net without a state."""

    def sample(self, rng: np.random.Generator) -> str:
        return "bigram"

    def build(self, arch: str, num_outputs: int) -> nn.Module:
        return Forgetful(num_outputs)


def generated_text(lines: int = 400, seed: int = 0) -> str:
    """Returns sentences in which each word tells the next but one."""
    rng = np.random.default_rng(seed)
    subjects, verbs, things = ("cat", "dog", "owl"), ("sees", "eats", "hears"), ("mice", "bones", "songs")
    said = []
    for number in rng.integers(3, size=lines):
        said.append(f"the {subjects[number]} {verbs[number]} {'some ' * rng.integers(2)}{things[number]} .")
    return "\n".join(said) + "\n"


def fixed(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
