"""What a run of a recurrent net takes and gives: a state, dropouts with their masks, logits and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

State = tuple[Tensor, ...]
"""What a net remembers of each stream; the first dimension of every tensor is the stream, `[B, ...]`."""


@dataclass(frozen=True)
class Dropouts:
    """Shares that a recurrent net drops in training mode, with one mask per stream for a whole `run`.

    What is kept is scaled by `1 / (1 - share)`. Each `run` draws new masks from torch's global state.

    Source: Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural
    Networks", NeurIPS 2016; the places are those of Merity, Keskar and Socher, "Regularizing and Optimizing
    LSTM Language Models", ICLR 2018, and of Liu, Simonyan and Yang, "DARTS", ICLR 2019.

    Attributes:
        word: of the rows of the embedding: a dropped word is dropped wherever it stands in the batch.
        embedding: of the features of embedded words.
        input: of the features that the cell reads, on top of `embedding`.
        hidden: of the features of the state, wherever a matrix is applied to it.
        output: of the features that the decoder reads.
    """

    word: float = 0.0
    embedding: float = 0.0
    input: float = 0.0
    hidden: float = 0.0
    output: float = 0.0


class Ran(NamedTuple):
    """What `RecurrentNet.run` returns.

    Attributes:
        logits: `[B, T, V]`.
        outputs: `[B, T, H]` of the last layer, before the output dropout; temporal activation regularisation
            is taken of them.
        dropped: `[B, T, H]`, the same after the output dropout, as the decoder reads them; activation
            regularisation is taken of these. Without dropout it may be the same tensor.
        state: after the last token; not detached.
    """

    logits: Tensor
    outputs: Tensor
    dropped: Tensor
    state: State


def mask(share: float, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Returns what is multiplied to drop `share` of the features: 0, or `1 / (1 - share)`."""
    kept = 1.0 - share
    return torch.empty(shape, dtype=like.dtype, device=like.device).bernoulli_(kept).div_(kept)
