"""Archs as numbers for a predictor: which decisions they take, one after the other or by their shares."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_ray.searchers.tokens import Vocabulary


class Code:
    """Numbers decisions.

    Args:
        known: decisions of archs; each different one gets a number, in the order of their texts. One that is
            met later gets the next number, but by place, where there may be none.
        slots: decisions of a block, of which an MLP tells one from the other.
        by_place: whether a decision has a number of its own in each place of an arch.
    """

    def __init__(self, known: Sequence[tuple[str, ...]], slots: int, *, by_place: bool = False) -> None:
        self.slots = slots
        self._places = max(map(len, known), default=1) if by_place else 1
        self._vocabulary = Vocabulary(sorted(set(itertools.chain(*known))))

    @classmethod
    def of(cls, state: dict[str, Any]) -> Code:
        """Returns the code of which `state` tells."""
        code = cls((), state["slots"])
        code._places, code._vocabulary = state["places"], Vocabulary(state["texts"])
        return code

    def state(self) -> dict[str, Any]:
        """Returns it as plain data."""
        return {"slots": self.slots, "places": self._places, "texts": self._vocabulary.tokens[2:]}

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self._vocabulary) * self._places

    def numbers(self, decisions: Sequence[tuple[str, ...]]) -> np.ndarray:
        """Returns the numbers `[archs, longest]` of the decisions of archs, -1 behind the end of one."""
        longest = max(map(len, decisions), default=0)
        numbers = np.full((len(decisions), longest), -1, dtype=np.int64)
        by_length: dict[int, list[int]] = {}
        for row, one in enumerate(decisions):
            by_length.setdefault(len(one), []).append(row)
        for length, rows in by_length.items():
            flat = self._vocabulary.numbers([text for row in rows for text in decisions[row]])
            place = np.arange(length) % self._places
            found = np.array(flat, dtype=np.int64).reshape(len(rows), length)
            numbers[rows, :length] = found + place * len(self._vocabulary)
        return numbers

    def shares(self, numbers: np.ndarray) -> np.ndarray:
        """Returns in what share of its blocks an arch takes a decision in a slot, `[archs, slots * size]`.

        Every `slots` decisions are a block.
        """
        shares = np.zeros((len(numbers), self.slots * self.size), dtype=np.float32)
        for place, column in enumerate(numbers.T):
            rows = np.flatnonzero(column >= 0)
            shares[rows, place % self.slots * self.size + column[rows]] += 1
        blocks = np.ceil((numbers >= 0).sum(axis=1, keepdims=True) / self.slots)
        return np.asarray(shares / np.maximum(blocks, 1), dtype=np.float32)
