"""Text that others chose, such as names of files and classes, as it can be shown, written and copied."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path


def encodable(text: str) -> str:
    r"""Returns `text` as UTF-8 can hold it: a byte of a name that is not UTF-8 becomes `\xe9` or alike."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        try:
            return os.fsencode(text).decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:  # half of a character, which is no byte of a name
            return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def visible(text: object) -> str:
    """Returns `text` without what could change a terminal or hide itself; such characters become escapes."""
    return "".join(
        char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in encodable(str(text))
    )


def one_line(text: object) -> str:
    """Returns `text` as `visible` does, in one line."""
    return " ".join(visible(text).split())


def code_span(text: object) -> str:
    """Returns `text` as a code span of Markdown, in which nothing is Markdown or HTML."""
    return "`" + one_line(text).replace("`", "'") + "`"


def table_cell(text: object) -> str:
    """Returns `text` as it can stand in a cell of a Markdown table."""
    return one_line(text).replace("|", r"\|")


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


def counted(count: int, noun: str) -> str:
    """Returns `1 seed` or `2 seeds`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
