"""Names of others are shown, written and copied as they are, whatever they hold."""

from __future__ import annotations

import io
import os
import subprocess

import pytest

from nas_ray.errors import encodable
from nas_ray.process.shell import in_shell, place_word
from nas_ray.terminal.text import code_span, one_line, table_cell, visible

NOT_UTF8 = os.fsdecode(b"caf\xe9")
NAMES = [
    "plain",
    "runs/r3[/a]",
    "with blank",
    "it's",
    'say "x"',
    "$HOME `ls` \\ !x",
    "two\nlines",
    "tab\there",
    "\x1b[31mred",
    "größe-日本",
    "zero\u200bwidth",
    NOT_UTF8,
    ":smile:",
    "a;b & c | d > e",
    "*?",
    "~",
    "",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_shell_reads_back_what_was_quoted(
    name: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    word = in_shell(name)
    word.encode(encoding)  # it can be shown
    assert visible(word) == word
    assert "\n" not in word
    done = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert done.stdout == os.fsencode(name)


def test_a_place_is_no_option() -> None:
    assert place_word("-x") == "./-x"
    assert place_word("s3://b/a b") == "'s3://b/a b'"


def test_what_is_not_utf8_becomes_an_escape() -> None:
    assert encodable(NOT_UTF8) == r"caf\xe9"
    assert encodable("\ud83d!") == r"\ud83d!"
    assert encodable("café 日本") == "café 日本"


def test_what_could_change_a_terminal_becomes_an_escape() -> None:
    assert visible("a\x1b[31mb\rc\u202ed") == r"a\x1b[31mb\rc\u202ed"
    assert visible("two\nlines café") == "two\nlines café"
    assert one_line("two\nlines") == "two lines"


def test_markdown_keeps_its_cells() -> None:
    assert table_cell("|a~0|\n+") == r"\|a~0\| +"
    assert code_span("a`<b>`\n") == "`a'<b>'`"
