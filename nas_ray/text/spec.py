"""How a text is named, such as `text:wiki,tokens=bytes`; a light module, for quick answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.terminal.ranges import Range, whole_number

TEXT: Final = "text"
WORDS, BYTES = "words", "bytes"
MIN_COUNT: Final = Range(1, 10**6)
OPTIONS: Final = ("tokens", "min_count")
NO_CLASSES: Final = (
    "A prediction needs a net of images, and this is a net of a text, which has no classes; let it go on "
    "with a text by nas_ray.load(...).continued(prompt) or nas-ray train --resume FOLDER --sample PROMPT."
)
"""Why a net of a text predicts nothing."""


@dataclass(frozen=True)
class TextSpec:
    """Which text, and what its tokens are.

    Attributes:
        path: a file, or a folder with a file each for train, valid and test; empty for the embedded text.
        tokens: `words`, which blanks part, or `bytes`.
        min_count: how often a word must stand in the training part to be one of the vocabulary.

    Raises:
        UsageError: an option cannot be.
    """

    path: str = ""
    tokens: str = WORDS
    min_count: int = 2

    def __post_init__(self) -> None:
        if self.tokens not in (WORDS, BYTES):
            given = printable([self.tokens])[0]
            raise UsageError(f"tokens of {TEXT} must be {WORDS} or {BYTES}, but '{given}' was given.")
        MIN_COUNT.check(f"min_count of {TEXT}", self.min_count)

    def absolute(self) -> TextSpec:
        """Returns the same with an absolute path, so that it holds in any working directory."""
        path = os.path.abspath(os.path.expanduser(self.path)) if self.path else ""
        return TextSpec(path, self.tokens, self.min_count)

    def __str__(self) -> str:
        changed = [
            f"{name}={getattr(self, name)}"
            for name in OPTIONS
            if getattr(self, name) != getattr(TextSpec, name)
        ]
        parts = [*([self.path] if self.path else []), *changed]
        return ":".join([TEXT, *([",".join(parts)] if parts else [])])


def parse_text(text: str) -> TextSpec:
    """Returns what `text`, `text:PATH` or `text:PATH,tokens=bytes,min_count=3` names.

    A path may have commas: only what stands at the end and is an option is one.

    Raises:
        UsageError: it names no text, an unknown option, one twice, or a value that cannot be.
    """
    kind, colon, rest = text.partition(":")
    if kind != TEXT or (colon and not rest.strip()):
        raise UsageError(
            f"A text is {TEXT} for the embedded one or {TEXT}:PATH for your own, but "
            f"{printable([text])[0]!r} was given."
        )
    path, options = rest, dict[str, str]()
    while path:
        before, comma, last = path.rpartition(",")
        name, equals, value = (piece.strip() for piece in last.partition("="))
        if not equals or (name not in OPTIONS and (not comma or os.path.exists(os.path.expanduser(path)))):
            break
        if name not in OPTIONS:
            raise UsageError(unknown_name(f"option of {TEXT}", name, list(OPTIONS)))
        if name in options or not value:
            raise UsageError(f"{printable([text])[0]!r} must give {name} once, as {name}=VALUE.")
        options[name] = value
        path = before
    least = TextSpec.min_count
    if "min_count" in options:
        number = whole_number(options["min_count"])
        if number is None:
            given = printable([options["min_count"]])[0]
            raise UsageError(f"min_count of {TEXT} must be a whole number {MIN_COUNT}, got '{given}'.")
        least = number
    return TextSpec(path, options.get("tokens", WORDS), least)
