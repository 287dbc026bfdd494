"""Sentences as sequences of words: a layer, its number, an opening, the next branch, a closing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from nas_ray.spaces.grammar.terms import FORMS, IDENTITY, MAP, TOKENS, Branch, Chain, Leaf

OPEN, CLOSE = "(", ")"
OPEN_TOKENS, OPEN_MAP = f"{TOKENS}(", f"{MAP}("
LEAVES: Final = {
    f"{word}{kernel or ''}{'/2' if stride == 2 else ''}": Leaf(word, kernel, stride=stride)
    for word, form in FORMS.items()
    for kernel in form.kernels or (0,)
    for stride in ((1, 2) if form.strided else (1,))
}
"""By its word each layer, without the number that may come next."""
NUMBERS: Final = {str(number) for form in FORMS.values() for number in form.numbers}


def words_of(chain: Chain) -> Iterator[str]:
    """Yields the words of a chain."""
    for term in chain:
        if isinstance(term, Leaf):
            yield str(replace(term, number=0))
            if term.number:
                yield str(term.number)
        elif isinstance(term, Branch):
            for place, part in enumerate(term.parts):
                yield term.sign if place else OPEN
                yield from words_of(part)
            yield CLOSE
        else:
            yield f"{term.kind}("
            yield from words_of(term.inner)
            yield CLOSE


def text_of(words: Sequence[str]) -> str:
    """Returns the text that words make, which need not be one of the grammar, nor in its one form."""
    text, stride, ended = "", "", False
    for word in words:
        if word in NUMBERS:
            text += f":{word}{stride}"
            stride = ""
            continue
        text += stride
        if word in ("+", "&", CLOSE):
            text += word if ended else f"{IDENTITY}{word}"
            ended = word == CLOSE
            stride = ""
            continue
        plain = word.removesuffix("/2")
        text += f"{'-' if ended else ''}{plain}"
        stride = word[len(plain) :]
        ended = word not in (OPEN, OPEN_TOKENS, OPEN_MAP)
    return text + stride
