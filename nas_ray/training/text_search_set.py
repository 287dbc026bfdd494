"""The text of a one-shot search: one part trains weights, the held-out one those of architectures."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterator

import torch

from nas_ray.errors import UsageError
from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Batch
from nas_ray.training.text_task import VALID_STREAMS, Pieces, TextTask

FEWEST = 2
"""Streams that are read side by side: batch normalisation needs as many."""


class TextSearchSet:
    """A text in two parts, both read in `batch_size` streams.

    Source: the search for recurrent cells of Liu et al., "DARTS", ICLR 2019, as released: the held-out part
    trains architecture weights, and the supernet is judged by it as well. Its piece begins as far in its
    streams as the one of the training part, and again from the beginning behind its end.
    Differs: a piece of the training part has a random length around `bptt`, as in trainings, where the search
    has `bptt` or, once in twenty, half of it.

    Args:
        task: the text.
        recipe: how it is read.

    Raises:
        UsageError: one of the parts is shorter than a batch, or there is one stream alone.
    """

    copies = 0
    """Words that are in both parts: nobody counts them."""

    def __init__(self, task: TextTask, recipe: Recipe) -> None:
        self.task, self.recipe = task, recipe
        if recipe.batch_size < FEWEST:
            raise UsageError(
                f"A one-shot search on a text needs a batch size of {FEWEST} or more, since it normalises "
                f"over streams, got {recipe.batch_size}."
            )
        self._valid()
        self.weights_part = range(math.ceil(recipe.data_fraction * len(task.corpus.train)))
        self.arch_part = range(len(task.corpus.valid))
        self.unit = task.corpus.spec.tokens

    def __len__(self) -> int:
        """Returns the steps of an epoch; about so many, since lengths are drawn."""
        return len(self.weights_batches(0, 0))

    def pairs(self, seed: int, epoch: int) -> TextPairs:
        """Returns the steps of an epoch."""
        return TextPairs(self.weights_batches(seed, epoch), self._valid(), self.recipe.bptt)

    def weights_batches(self, seed: int, epoch: int) -> Pieces:
        """Returns the pieces of the training part, cut by seed and epoch."""
        return self.task.loaders(self.recipe, seed, epoch)[0]

    def valid_batches(self, size: int = VALID_STREAMS) -> Pieces:
        """Returns the pieces of the held-out part in so many streams, in its own order."""
        return self.task.judged(self.task.corpus.valid, size, self.recipe.bptt)

    def in_batches(self, size: int) -> TextSearchSet:
        """Returns the same text in batches of another size."""
        return TextSearchSet(self.task, dataclasses.replace(self.recipe, batch_size=size))

    def to(self, device: torch.device) -> None:
        """Takes the device on which the text is kept."""
        self.task = copy.copy(self.task)
        self.task.to(device)

    @property
    def fingerprint(self) -> str:
        """A hash of the text."""
        return self.task.fingerprint(self.recipe)

    def _valid(self) -> Pieces:
        """Returns the streams of the held-out part that train architecture weights.

        Raises:
            UsageError: it is shorter than a batch.
        """
        size = self.recipe.batch_size
        held = self.valid_batches(size)
        if held.tokens.shape[0] < size:
            raise UsageError(
                f"The held-out part of a text must have 2 {self.task.corpus.spec.tokens} for each of {size} "
                f"streams, but it has {len(self.task.corpus.valid):,} in all; give more text or a smaller "
                "batch size."
            )
        return held


class TextPairs:
    """The steps of one epoch: a piece for the weights and one for the architecture weights."""

    def __init__(self, train: Pieces, valid: Pieces, bptt: int) -> None:
        self._train, self._tokens, self._bptt = train, valid.tokens, bptt

    def __len__(self) -> int:
        return len(self._train)

    def __iter__(self) -> Iterator[tuple[Batch, Batch]]:
        last, place = self._tokens.shape[1] - 1, 0
        for batch in self._train:
            start = place % last
            end = min(start + self._bptt, last)
            yield batch, (self._tokens[:, start:end], self._tokens[:, start + 1 : end + 1])
            place += batch[1].shape[1]
