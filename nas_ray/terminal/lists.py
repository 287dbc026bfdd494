"""Several names in one argument, as they are given on a command line."""

from __future__ import annotations

from collections.abc import Iterable


def parted(texts: Iterable[str]) -> list[str]:
    """Returns the names in texts, which commas or blanks part, such as two in `("naswot,synflow",)`."""
    return [name for text in texts for name in text.replace(",", " ").split()]
