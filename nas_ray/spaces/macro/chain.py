"""Archs of the space `macro`: a chain of layers as a text, such as `conv:64:7x7-bn-relu-max:3x3-res-head`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nas_ray.errors import UsageError, printable
from nas_ray.errors.checks import TEXT

MOST_TOKENS: Final = 500
"""Layers of an arch whose text is read; sampled ones are far below."""


@dataclass(frozen=True)
class Token:
    """One part of a chain.

    Attributes:
        word: a key of `FORMS`.
        width: channels or features that come out, where the word says them.
        sides: of the kernel, or of the map that comes out.
        p: of a dropout, as it is written.
    """

    word: str
    width: int = 0
    sides: tuple[int, int] = (0, 0)
    p: str = ""

    def __str__(self) -> str:
        parts = [self.word, *([str(self.width)] if self.width else []), *([self.p] if self.p else [])]
        return ":".join([*parts, *(["x".join(map(str, self.sides))] if self.sides[0] else [])])


_WIDTH, _SIDES = r":(?P<width>[1-9]\d{0,4})", r":(?P<rows>[1-9]\d{0,2})x(?P<columns>[1-9]\d{0,2})"
FORMS: Final = {
    "conv": _WIDTH + _SIDES,
    "res": "",
    "down": _WIDTH,
    "bn": "",
    "relu": "",
    "relu6": "",
    "max": _SIDES,
    "avg": _SIDES,
    "to": _SIDES,
    "dropout": r":(?P<p>0|0\.\d{0,5}[1-9])",
    "square": "",
    "linear": _WIDTH,
    "head": "",
}
"""What stands behind each word: a convolution with its channels and kernel; a residual block, one that halves
the map, with its inner channels; batch normalisation; activations; pooling with its kernel; adaptive pooling
to a map; dropout; a linear layer on all values of a map, one that makes features, and the classifier."""
_TOKENS = {word: re.compile(f"{word}{form}") for word, form in FORMS.items()}


def written(tokens: Sequence[Token]) -> str:
    """Returns the arch of a chain."""
    return "-".join(map(str, tokens))


def tokens_of(arch: str) -> tuple[Token, ...]:
    """Returns the chain of an arch.

    Raises:
        UsageError: it is none.
    """
    TEXT.check("An arch", arch)
    parts = arch.split("-")
    if parts[-1] != "head" or "head" in parts[:-1] or len(parts) > MOST_TOKENS:
        raise _wrong(arch, "does not end with head alone, or is too long")
    return tuple(_token(part, arch) for part in parts)


def _token(part: str, arch: str) -> Token:
    word = part.partition(":")[0]
    found = _TOKENS[word].fullmatch(part) if word in _TOKENS else None
    if found is None:
        raise _wrong(arch, f"has {printable([part])[0]!r}")
    groups = found.groupdict()
    sides = (int(groups.get("rows") or 0), int(groups.get("columns") or 0))
    return Token(word, int(groups.get("width") or 0), sides, groups.get("p") or "")


def _wrong(arch: str, why: str) -> UsageError:
    return UsageError(
        f"An arch of macro must be layers joined by -, such as conv:64:7x7-bn-relu-max:3x3-res-head, but "
        f"{printable([arch])[0]!r} {why}."
    )
