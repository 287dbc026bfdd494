"""Archs of the space `macro`: a chain of layers as a text, such as `conv:64:7x7-bn-relu-max:3x3-res-head`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nas_ray.errors import UsageError, printable
from nas_ray.errors.checks import TEXT

MOST_TOKENS: Final = 2_000
"""Layers of an arch whose text is read; sampled ones are far below."""

Sides = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class Token:
    """One part of a chain.

    Attributes:
        word: a key of `FORMS`.
        width: channels or features that come out, where the word says them.
        sides: of the kernel, or of the map that comes out.
        p: of a dropout, as it is written.
        stride: None for 1 in a convolution, and for the kernel in pooling.
        padding: None for one that keeps the map in a convolution, and for 0 in pooling.
        dilation: None for 1.
        groups: of a convolution.
    """

    word: str
    width: int = 0
    sides: Sides = (0, 0)
    p: str = ""
    stride: Sides | None = None
    padding: Sides | None = None
    dilation: Sides | None = None
    groups: int = 1

    def __str__(self) -> str:
        parts = [self.word, *([str(self.width)] if self.width else []), *([self.p] if self.p else [])]
        parts += ["x".join(map(str, self.sides))] if self.sides[0] else []
        shapes = (("s", self.stride), ("p", self.padding), ("d", self.dilation))
        parts += [f"{letter}{_short(sides)}" for letter, sides in shapes if sides is not None]
        return ":".join([*parts, *([f"g{self.groups}"] if self.groups > 1 else [])])

    @property
    def shaped(self) -> bool:
        """Whether it says more than its kernel."""
        return (self.stride, self.padding, self.dilation, self.groups) != (None, None, None, 1)


_WIDTH, _SIDES = r":(?P<width>[1-9]\d{0,4})", r":(?P<rows>[1-9]\d{0,2})x(?P<columns>[1-9]\d{0,2})"
_STRIDE, _DILATION = (rf"(?::{letter}(?P<{letter}>[1-9]\d?(?:x[1-9]\d?)?))?" for letter in "sd")
_PADDING = r"(?::p(?P<pad>(?:0|[1-9]\d?)(?:x(?:0|[1-9]\d?))?))?"
_GROUPS = r"(?::g(?P<groups>[1-9]\d{0,4}))?"
_POOLING = _SIDES + _STRIDE + _PADDING
FORMS: Final = {
    "conv": _WIDTH + _SIDES + _STRIDE + _PADDING + _DILATION + _GROUPS,
    "res": "",
    "down": _WIDTH,
    "bn": "",
    "relu": "",
    "relu6": "",
    "max": _POOLING,
    "avg": _POOLING,
    "to": _SIDES,
    "dropout": r":(?P<p>0|0\.\d{0,5}[1-9])",
    "square": "",
    "linear": _WIDTH,
    "head": "",
}
"""What stands behind each word: a convolution with its channels and kernel, and where they are not the usual
ones, its stride, padding, dilation and groups (`conv:96:3x3:s2:p0:d2:g32`); a residual block, one that halves
the map, with its inner channels; batch normalisation; activations; pooling with its kernel, stride and
padding; adaptive pooling to a map; dropout; a linear layer on all values of a map, one that makes features,
and the classifier."""
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
        raise no_arch(arch, "does not end with head alone, or is too long")
    return tuple(_token(part, arch) for part in parts)


def _token(part: str, arch: str) -> Token:
    word = part.partition(":")[0]
    found = _TOKENS[word].fullmatch(part) if word in _TOKENS else None
    if found is None:
        raise no_arch(arch, f"has {printable([part])[0]!r}")
    groups = found.groupdict()
    token = Token(
        word,
        int(groups.get("width") or 0),
        (int(groups.get("rows") or 0), int(groups.get("columns") or 0)),
        groups.get("p") or "",
        sides_of(groups.get("s")),
        sides_of(groups.get("pad")),
        sides_of(groups.get("d")),
        int(groups.get("groups") or 1),
    )
    if str(token) != part:  # such as s2x2
        raise no_arch(arch, f"has {printable([part])[0]!r}, which is written {token}")
    return token


def sides_of(text: str | None) -> Sides | None:
    """Returns the sides of `3x2`, or of `3` for both; None of None."""
    if text is None:
        return None
    rows, cross, columns = text.partition("x")
    return int(rows), int(columns if cross else rows)


def _short(sides: Sides) -> str:
    return str(sides[0]) if sides[0] == sides[1] else "x".join(map(str, sides))


def no_arch(arch: str, why: str) -> UsageError:
    """Returns the refusal of an arch, whose sentence ends with `why`."""
    return UsageError(
        f"An arch of macro must be layers joined by -, such as conv:64:7x7-bn-relu-max:3x3-res-head, but "
        f"{printable([arch])[0]!r} {why}."
    )
