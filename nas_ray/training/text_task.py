"""A text as a task: to tell each next token."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nas_ray.text.corpus import Corpus
from nas_ray.text.streams import drawn_lengths, fixed_lengths, streams
from nas_ray.text.vocabulary import Tokens
from nas_ray.training.language_training import LanguageTraining
from nas_ray.training.objective import objective_of
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Batch, Batches, Task

VALID_STREAMS, TEST_STREAMS = 10, 1
"""Streams that validation and test read side by side, as published."""


class Pieces:
    """The pieces of some streams, one after the other: tokens and the next ones, `[B, T]` int64 each.

    Args:
        tokens: `[B, N]`.
        lengths: of the pieces; they sum to `N - 1`.
    """

    def __init__(self, tokens: Tensor, lengths: Sequence[int]) -> None:
        self.tokens, self.lengths = tokens, tuple(lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[Batch]:
        start = 0
        for length in self.lengths:
            yield self.tokens[:, start : start + length], self.tokens[:, start + 1 : start + length + 1]
            start += length


class TextTask(Task):
    """Tells each next token of a text, which is read in streams whose state is carried from piece to piece.

    The text itself says what is held out, so a recipe's `valid_fraction` means nothing here; `data_fraction`
    is the beginning of the training part. An epoch reads the streams in pieces of random lengths, which are a
    function of seed and epoch.

    Args:
        corpus: the text.
        scored: sequences on which proxies score.
        scored_seed: draws these sequences from the training part.
    """

    metric_name = "nats"
    smaller_is_better = True

    def __init__(self, corpus: Corpus, *, scored: int = 64, scored_seed: int = 0) -> None:
        self.corpus = corpus
        self.scored, self.scored_seed = scored, scored_seed
        self.num_outputs = len(corpus.vocabulary)
        self._device = torch.device("cpu")

    note: str | None = None
    """What a user should know of the text beside its description."""
    skipped: tuple[str, ...] = ()
    """Files that were left out: none."""
    image_size: int | None = None
    """Of images, which a text has none of."""

    @property
    def source(self) -> str:
        """The name that opens the same text again."""
        return str(self.corpus.spec)

    @property
    def description(self) -> str:
        """One phrase: what the text is."""
        return self.corpus.description

    @property
    def num_classes(self) -> int:
        """The words of the vocabulary."""
        return self.num_outputs

    @property
    def sha256(self) -> str:
        """A hash of the text and of what its tokens are."""
        return self.corpus.sha256

    def minibatch(self) -> Batch:
        """Returns tokens `[B, 35]` and the next ones, of places in the training part that the seed draws.

        Raises:
            UsageError: the text is shorter.
        """
        tokens, length = self.corpus.train, Recipe.bptt
        streams(tokens, self.scored, "The training part of a text")
        length = min(length, len(tokens) // self.scored - 1)
        starts = np.random.default_rng(self.scored_seed).permutation((len(tokens) - 1) // length)
        rows = np.stack([tokens[start * length :][: length + 1] for start in starts[: self.scored]])
        drawn = torch.from_numpy(rows)
        return drawn[:, :-1].clone(), drawn[:, 1:].clone()

    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[Pieces, Pieces]:
        """Returns the pieces of an epoch in `batch_size` streams, and the held-out part in 10 streams.

        Raises:
            UsageError: the text is shorter than a batch.
        """
        part = self.corpus.train[: math.ceil(recipe.data_fraction * len(self.corpus.train))]
        train = self._streams(part, recipe.batch_size, "The training part of a text")
        total = train.shape[1] - 1
        rng = np.random.default_rng((seed, epoch))
        varied = recipe.bptt_varies
        lengths = drawn_lengths(total, recipe.bptt, rng) if varied else fixed_lengths(total, recipe.bptt)
        return Pieces(train, lengths), self.judged(self.corpus.valid, VALID_STREAMS, recipe.bptt)

    def judged(self, tokens: Tokens, count: int, bptt: int) -> Pieces:
        """Returns a part in its own order and in pieces of one length, in as many streams as it can fill."""
        side_by_side = max(1, min(count, len(tokens) // 2))
        held = self._streams(tokens, side_by_side, "The held-out part of a text")
        return Pieces(held, fixed_lengths(held.shape[1] - 1, bptt))

    def tested(self, recipe: Recipe) -> Batches:
        """Returns the test part in one stream."""
        return self.judged(self.corpus.test, TEST_STREAMS, recipe.bptt)

    def training_module(self, net: nn.Module, recipe: Recipe, steps_per_epoch: int) -> LanguageTraining:
        """Returns what trains a net on this text."""
        return LanguageTraining(net, recipe, objective_of(self, recipe), steps_per_epoch=steps_per_epoch)

    @staticmethod
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the mean cross-entropy in nats per token of `[B, T, V]` and `[B, T]`."""
        return cross_entropy(outputs.flatten(0, -2), targets.flatten())

    @staticmethod
    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the negative of the nats per token of each sequence `[B]`."""
        nats = cross_entropy(outputs.flatten(0, -2), targets.flatten(), reduction="none")
        return -nats.view(targets.shape).mean(1)

    def to(self, device: torch.device) -> None:
        """Takes the device on which the text is kept."""
        self._device = device

    def described(self, recipe: Recipe) -> str:
        """Returns how much of the text is trained on and held out."""
        unit = self.corpus.spec.tokens
        train = math.ceil(recipe.data_fraction * len(self.corpus.train))
        return f"{train:,} {unit}, {len(self.corpus.valid):,} held out"

    def fingerprint(self, recipe: Recipe) -> str:
        """Returns a hash of the text and of what its tokens are."""
        return self.corpus.sha256

    def _streams(self, tokens: Tokens, count: int, what: str) -> Tensor:
        return torch.from_numpy(streams(tokens, count, what)).to(self._device)
