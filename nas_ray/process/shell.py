"""Words of a command as a shell takes them, to be copied from a terminal."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def in_shell(word: str | Path) -> str:
    """Returns `word` as a shell takes it, in one line, to be copied from a terminal.

    What cannot be shown as it is, such as a line break or a byte that is no UTF-8, is written as in C, which
    bash, zsh and ksh know as `$'...'`.
    """
    text = str(word)
    if text.isprintable() and _can_be_shown(text):
        return shlex.quote(text)
    shown = (_in_c(byte) for byte in text.encode("utf-8", "surrogateescape"))
    return f"$'{''.join(shown)}'"


def _can_be_shown(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def _in_c(byte: int) -> str:
    char = chr(byte)
    if char in "\\'":
        return f"\\{char}"
    return char if char.isascii() and char.isprintable() else f"\\{byte:03o}"


def place_word(place: str | Path) -> str:
    """Returns a path or URI as a word of a command that is not taken for an option."""
    text = str(place)
    return in_shell(f"./{text}" if text.startswith("-") else text)
