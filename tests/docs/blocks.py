"""The blocks of README.md and docs/*.md, found by reading the files, and what stands beside each.

A block is fenced, or indented by four spaces after a blank line, which is a block of commands. The word after
the fence says what it is: `python`, `bash`, `toml`, or `text` for what is no code. `python mine.py` is a file
of that name in the working directory. The line above a block says what it needs and how long it takes where
that is more than a bare install and some seconds::

    *Needs `nats_tss.csv.gz` ([benchmarks.md](benchmarks.md)), a GPU. Takes 20 min.*

A row of a table with a column `command` is a block too, and a cell of it says that. A command anywhere else
in the text is a mention: it is read and not run.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
LANGUAGES = ("python", "bash", "toml", "text")
PROGRAMS = ("nas-ray", "python", "pip", "ray", "sbatch", "export", "source", "bash", "cd")
"""What a line of commands begins with, apart from variables."""

COMMAND = re.compile(r"`((?:nas-ray|python) [^`]+)`")
"""A command within a line."""
_BESIDE = re.compile(r"\*(?:Needs (?P<needs>.+?)\.)? ?(?:Takes (?P<takes>[^.]+)\.)?\*")
_UNITS = {"s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True)
class Block:
    """One block of a page.

    Attributes:
        page: its file, from the root.
        line: number of its first line.
        language: one of `LANGUAGES`.
        file: the name that it is to be written to, or empty.
        text: what is in it.
        needs: what a bare install lacks, as written.
        seconds: that it takes, or None where nothing is said.
    """

    page: str
    line: int
    language: str
    file: str
    text: str
    needs: tuple[str, ...] = ()
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command of a block of commands, without variables before it."""
        lines = self.text.replace("\\\n", " ").splitlines()
        parts = [part for line in lines for part in re.split(r" && ", line)]
        words = [shlex.split(part, comments=True) for part in parts]
        return [strip_variables(one) for one in words if one]


def strip_variables(words: list[str]) -> list[str]:
    """Returns a command without what `NAME=value` sets before it."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    return words


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """Returns the blocks of a page in their order."""
    return tuple(parsed(page, (ROOT / page).read_text(encoding="utf-8")))


def parsed(page: str, text: str) -> list[Block]:
    """Returns the blocks of a text."""
    lines, found, at = text.splitlines(), [], 0
    rows = rows_with_commands(lines)
    while at < len(lines):
        first = at
        if lines[at].startswith("```"):
            language, _, file = lines[at].removeprefix("```").strip().partition(" ")
            at = next(
                (end for end in range(at + 1, len(lines)) if lines[end].rstrip() == "```"), len(lines) - 1
            )
            inside, at = lines[first + 1 : at], at + 1
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            language, file = "bash", ""
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                at += 1
            inside = [line[4:] for line in lines[first:at]]
        elif at in rows and (inside := COMMAND.findall(lines[at])):
            language, file, at = "bash", "", at + 1
            cells = [f"*{cell.strip()}*" for cell in lines[first].split("|")]
            said = next((cell for cell in cells if cell.startswith(("*Needs ", "*Takes "))), "")
            found.append(Block(page, first + 1, language, file, "\n".join(inside) + "\n", *beside([said])))
            continue
        else:
            at += 1
            continue
        needs, seconds = beside(lines[:first])
        found.append(
            Block(page, first + 1, language, file, "\n".join(inside).rstrip() + "\n", needs, seconds)
        )
    return found


def rows_with_commands(lines: list[str]) -> set[int]:
    """Returns the places of the lines of tables that have a column of commands."""
    found, within = set(), False
    for place, line in enumerate(lines):
        if line.startswith("|") and not (place and lines[place - 1].startswith("|")):
            within = "command" in [cell.strip() for cell in line.split("|")]
        if line.startswith("|") and within:
            found.add(place)
    return found


def mentions(page: str) -> list[Block]:
    """Returns the commands that stand within sentences of a page."""
    lines, inside, found = (ROOT / page).read_text(encoding="utf-8").splitlines(), False, []
    rows = rows_with_commands(lines)
    for place, line in enumerate(lines):
        inside ^= line.startswith("```")
        if not inside and place not in rows and not line.startswith("    "):
            found += [Block(page, place + 1, "bash", "", f"{one}\n") for one in COMMAND.findall(line)]
    return found


def beside(before: list[str]) -> tuple[tuple[str, ...], float | None]:
    """Returns what the last line before a block says that it needs, and the seconds that it takes."""
    last = next((line for line in reversed(before) if line.strip()), "")
    if not last.startswith(("*Needs ", "*Takes ")):
        return (), None
    match = _BESIDE.fullmatch(last.strip())
    assert match, f"write `*Needs WHAT, WHAT. Takes 20 min.*` or a part of it, not {last!r}"
    plain = re.sub(r" \((?:[^()]|\([^()]*\))*\)", "", match["needs"] or "")  # where it is from
    needs = tuple(name.strip() for name in plain.split(",")) if plain else ()
    return needs, seconds_of(match["takes"]) if match["takes"] else None


def seconds_of(text: str) -> float:
    """Returns the seconds of `40 s`, `20 min` or `2 h`, with or without `about` and what they are for."""
    match = re.search(r"(\d+) (s|min|h)\b", text)
    assert match, f"say how long it takes in s, min or h, not {text!r}"
    return int(match[1]) * _UNITS[match[2]]
