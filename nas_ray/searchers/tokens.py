"""What nets read and write of archs: decisions as numbers. For controllers and predictors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeVar

import numpy as np

from nas_ray.spaces.base import END, SequenceSpace
from nas_ray.spaces.sequences import walked

START: Final = "<start>"
"""The token before the first decision, number 0; it also fills short sequences up."""

T = TypeVar("T")

WALKS = 16
"""Random sequences that are walked to learn of options."""


class _Numbered(Generic[T]):
    """Tokens by number; one that is met later gets the next."""

    def __init__(self, known: Iterable[T]) -> None:
        self.tokens = list(dict.fromkeys(known))
        self._numbers = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def _number(self, token: T) -> int:
        number = self._numbers.setdefault(token, len(self.tokens))
        if number == len(self.tokens):
            self.tokens.append(token)
        return number


class Vocabulary(_Numbered[str]):
    """Tokens by number: `START` is 0, `END` is 1, then the options of a space.

    Options of one text are one token wherever they stand. An option that is met later gets the next number.

    Args:
        known: tokens behind `START` and `END`, in this order.

    Attributes:
        tokens: all of them, by number.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        super().__init__((START, END, *known))

    def numbers(self, options: Sequence[str]) -> list[int]:
        """Returns the numbers of `options`; those that are new get the next ones."""
        try:
            return [self._numbers[option] for option in options]
        except KeyError:
            return [self._number(option) for option in options]


class PlacedVocabulary(_Numbered[tuple[int, str]]):
    """Tokens by number, where an option is another token in each place of a sequence; 0 is `START`.

    So a net may like an option here and not there. A space of sequences does not list its options, so some
    random sequences are walked, each of which tells all options on its way. An option that is met later gets
    the next number, for which a net then needs one more row.

    Args:
        known: place and text of the tokens behind `START`, in this order.

    Attributes:
        tokens: all of them, by number.
    """

    def __init__(self, known: Iterable[tuple[int, str]] = ()) -> None:
        super().__init__(((-1, START), *known))
        self._rows: dict[tuple[int, tuple[str, ...]], list[int]] = {}

    @classmethod
    def of(cls, space: SequenceSpace) -> PlacedVocabulary:
        """Returns the tokens of `space`, equal for equal spaces (`as_sequence` makes one of decisions)."""
        rng, found = np.random.default_rng(0), dict[tuple[int, str], None]()

        def choose(prefix: tuple[str, ...], options: tuple[str, ...]) -> str:
            found.update(dict.fromkeys((len(prefix), option) for option in options))
            return options[int(rng.integers(len(options)))]

        for _ in range(WALKS):
            walked(space, choose)
        return cls(found)

    def numbers(self, place: int, options: tuple[str, ...]) -> list[int]:
        """Returns the numbers of `options` in a place; those that are new get the next ones."""
        known = self._rows.get((place, options))
        if known is None:
            known = self._rows[place, options] = [self._number((place, option)) for option in options]
        return known
