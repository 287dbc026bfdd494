"""Text that others chose, such as names of files and classes, as it can be shown and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Returns the lines of a Markdown table, whose columns but the first are aligned to the right."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return [f"| {' | '.join(map(table_cell, row))} |" for row in (heads, rule, *rows)]


def counted(count: int, noun: str) -> str:
    """Returns `1 seed` or `2 seeds`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Returns seconds in words, such as `1 h 02 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def about(seconds: float) -> str:
    """Returns an estimate in words, `about 40 s`, `about 3 min` or `about 1 h 02 min`."""
    minutes = 60 <= seconds < 3600
    return f"about {seconds / 60:.0f} min" if minutes else f"about {duration(seconds)}"
