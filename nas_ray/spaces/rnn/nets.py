"""The net around a recurrent cell: embedded words go in, the chance of each next word comes out."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from nas_ray.spaces.rnn.running import Dropouts, Ran, State, mask

INIT = 0.04
"""Weights are drawn uniformly between minus this and this, as released by DARTS."""


class Cell(Protocol):
    """A recurrent layer; a module.

    Attributes:
        width: H, features of what it gives.
        fused: whether it may compute a whole text at once; else operation by operation, each of which torch
            can differentiate again and hooks of functions can see.
    """

    width: int
    fused: bool

    def begin(self, batch_size: int) -> State:
        """Returns the state before the first word."""

    def __call__(self, x: Tensor, state: State, hidden: Tensor | None) -> tuple[Tensor, State]:
        """Returns outputs `[T, B, H]` and the last state of embedded words `x [T, B, E]`.

        `hidden [B, H]` is what states are multiplied by wherever a matrix is applied to them; None for 1.
        """


class LanguageNet(nn.Module):
    """A recurrent cell between an embedding and a classifier of the same weights, `[B, T] -> [B, T, V]`.

    Source: the net of Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language Models", ICLR
    2018, with one layer as Liu et al., "DARTS", ICLR 2019, released it: tied weights, initialised in +-.04.
    Differs: where the embedding is not as wide as the cell, a linear layer leads from one to the other.

    Args:
        cell: the recurrent layer.
        num_tokens: V, size of the vocabulary.
        embedding: E, features of an embedded word.

    Attributes:
        dropouts: what is dropped in training mode; nothing in a new net.
    """

    def __init__(self, cell: Cell, num_tokens: int, embedding: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_tokens, embedding)
        self.cell = cast(nn.Module, cell)
        apart = cell.width != embedding
        self.project = nn.Linear(cell.width, embedding, bias=False) if apart else nn.Identity()
        self.decoder = nn.Linear(embedding, num_tokens)
        self.decoder.weight = self.embedding.weight
        nn.init.uniform_(self.embedding.weight, -INIT, INIT)
        nn.init.zeros_(self.decoder.bias)
        self.dropouts = Dropouts()

    @property
    def recurrent(self) -> Cell:
        """The recurrent layer."""
        return cast(Cell, self.cell)

    def begin(self, batch_size: int) -> State:
        """Returns the state before the first word of `batch_size` texts."""
        return self.recurrent.begin(batch_size)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits `[B, T, V]` of tokens `[B, T]`, from the beginning of a text on."""
        return self.run(tokens, self.begin(len(tokens))).logits

    def run(self, tokens: Tensor, state: State) -> Ran:
        """Returns logits, outputs and the last state of tokens `[B, T]`, read from `state` on."""
        return self.after_embedding(self.embedded(tokens).transpose(0, 1), state)

    def embedded(self, tokens: Tensor) -> Tensor:
        """Returns the embedded words `[B, T, E]`, some of them dropped in training mode."""
        words = tokens.t()
        x = self.embedding(words)
        drop = self.dropouts
        if self.training and drop.word:
            kept = mask(drop.word, (self.embedding.num_embeddings,), x)
            x = x * kept[words].unsqueeze(-1)
        if self.training and drop.embedding:
            x = x * mask(drop.embedding, x.shape[1:], x)
        made: Tensor = x.transpose(0, 1)
        return made

    def after_embedding(self, x: Tensor, state: State) -> Ran:
        """Returns what `run` does, of embedded words `x [T, B, E]`."""
        drop, batch = self.dropouts, x.shape[1]
        hidden = None
        if self.training and drop.input:
            x = x * mask(drop.input, x.shape[1:], x)
        if self.training and drop.hidden:
            hidden = mask(drop.hidden, (batch, self.recurrent.width), x)
        made, state = self.recurrent(x, state, hidden)
        outputs = dropped = made.transpose(0, 1)
        if self.training and drop.output:
            dropped = outputs * mask(drop.output, (batch, 1, outputs.shape[-1]), outputs)
        logits: Tensor = self.decoder(self.project(dropped.contiguous()))
        return Ran(logits, outputs, dropped, state)


def drawn(cell: nn.Module) -> None:
    """Draws all weights of a cell uniformly, as released by DARTS."""
    for parameter in cell.parameters():
        nn.init.uniform_(parameter, -INIT, INIT)


def zeros(cell: nn.Module, batch_size: int, width: int) -> Tensor:
    """Returns a state of zeros `[B, H]` beside the weights of a cell."""
    return next(cell.parameters()).new_zeros(batch_size, width)


def by_operations(cell: Cell, x: Tensor) -> bool:
    """Returns whether a cell must work by operations: for exports, mixed precision, or if told to."""
    if not cell.fused or torch.is_autocast_enabled(x.device.type):
        return True
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]  # torch has no types for it
    return tracing or torch.compiler.is_compiling()
