"""Text that others chose, such as names of files and classes, as it can be shown and written."""

from __future__ import annotations

from nas_ray.errors import encodable


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


def counted(count: int, noun: str) -> str:
    """Returns `1 seed` or `2 seeds`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
