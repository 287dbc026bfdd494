"""Results as JSON and as Markdown."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from nas_ray.errors import UsageError
from nas_ray.runs.writing import write_text

from .runner import Result

BEGIN, END = "<!-- gpu_check: begin -->", "<!-- gpu_check: end -->"


def write_results(folder: Path, results: Sequence[Result], about: dict[str, object]) -> None:
    """Writes `gpu_check.json` and `gpu_check.md`."""
    content = {"about": about, "parts": [dataclasses.asdict(result) for result in results]}
    write_text(folder / "gpu_check.json", json.dumps(content, indent=1, default=str))
    write_text(folder / "gpu_check.md", markdown(results))


def markdown(results: Sequence[Result]) -> str:
    """Returns a table for each part, with its sentences below."""
    blocks = []
    for result in results:
        blocks.append(f"### {result.name}\n\n{result.status}, {result.seconds:.0f} s")
        columns = list(dict.fromkeys(column for row in result.rows for column in row))
        if columns:
            lines = [columns, ["---"] * len(columns)]
            lines += [[shown(row.get(column)) for column in columns] for row in result.rows]
            blocks.append("\n".join("| " + " | ".join(line) + " |" for line in lines))
        if result.said:
            blocks.append("\n".join(" ".join(sentence.split()) for sentence in result.said))
    return "\n\n".join(blocks) + "\n"


def shown(value: object) -> str:
    """Returns a cell: four digits of a number, nothing where there is none."""
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|")


def insert(document: Path, results: Sequence[Result]) -> None:
    """Puts the tables between the marks of `document`.

    Raises:
        UsageError: the marks are not there.
    """
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"{document} must have the lines {BEGIN} and {END}, between which results go.")
    write_text(document, f"{before}{BEGIN}\n\n{markdown(results)}\n{END}{after}")
