"""Words and their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from nas_ray.errors import UsageError
from nas_ray.errors.checks import Kind

Tokens = npt.NDArray[np.int64]
UNKNOWN, END = "<unk>", "<eos>"
"""The word for all that are not in the vocabulary, and the one that ends a line."""
FEWEST: Final = 2
"""Words beside these two, without which there is nothing to tell apart."""

UTF_8: Final = Kind(
    "a string of whole characters, which have bytes in UTF-8",
    lambda value: isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value),
)
"""Texts that have bytes: no half of a character stands alone in them."""


class Vocabulary:
    """The words that a net can read and say, by number.

    Args:
        words: `[V]`, all different.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def of(cls, words: Iterable[str], min_count: int, source: str) -> Vocabulary:
        """Returns the vocabulary of a training text: `<unk>`, `<eos>`, then its words, frequent ones first.

        Args:
            words: of the training part alone.
            min_count: words that come less often are not in it.
            source: what is read, for people.

        Raises:
            UsageError: fewer than two words are left.
        """
        counts = Counter(words)
        often = [word for word, count in counts.items() if count >= min_count and word not in (UNKNOWN, END)]
        if len(often) < FEWEST:
            what = f"the word {often[0]!r} alone comes" if often else "no word comes"
            raise UsageError(
                f"A text must have at least {FEWEST} words that come {min_count} times or more in its "
                f"training part, but in {source} {what} as often; give more text, a smaller min_count, or "
                "tokens=bytes."
            )
        return cls((UNKNOWN, END, *sorted(often, key=lambda word: (-counts[word], word))))

    @classmethod
    def of_bytes(cls) -> Vocabulary:
        """Returns the 256 bytes, each as the character of its number."""
        return cls([chr(number) for number in range(256)])

    def numbers(self, words: Iterable[str]) -> Tokens:
        """Returns the numbers of words; those that are not in it have the number of `<unk>`."""
        known, unknown = self._number, self._number.get(UNKNOWN, 0)
        return np.fromiter((known.get(word, unknown) for word in words), dtype=np.int64)

    def unknown(self, tokens: Tokens) -> int:
        """Returns how many of these numbers are that of `<unk>`; no byte is."""
        return int((tokens == self._number[UNKNOWN]).sum()) if UNKNOWN in self else 0

    def __contains__(self, word: object) -> bool:
        return word in self._number

    @cached_property
    def _number(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}


def words_of(text: str) -> list[str]:
    """Returns the words of a text, which blanks part, and `<eos>` at the end of each line, even an empty one.

    Source: the data sets of Mikolov et al. (Penn Treebank) and Merity et al. (WikiText) are counted so.
    """
    lines = text.split("\n")
    lines = lines if lines[-1] else lines[:-1]
    return [word for line in lines for word in (*line.split(), END)]
