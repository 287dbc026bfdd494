"""The files of a text: one that is cut, or a folder with one for each part."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nas_ray.errors import UsageError

PARTS: Final = ("train", "valid", "test")
SHARES: Final = (8, 1, 1)
"""Tenths of a single text that are trained on, held out and tested on, in this order."""


def read_parts(path: Path) -> dict[str, bytes]:
    """Returns what is in the files of a text: `{"": bytes}` of one file, else train, valid and maybe test.

    Of a folder each part is the one file whose name has its word, such as `wiki.valid.tokens`.

    Raises:
        UsageError: nothing is there, a part has no file or several, or one is empty or cannot be read.
    """
    if not path.exists():
        raise UsageError(f"text:PATH needs a file or a folder, but there is no {path}: check the path.")
    if not path.is_dir() and not path.is_file():
        raise UsageError(f"text:PATH needs a file or a folder, but {path} is neither: check the path.")
    if not path.is_dir():
        return {"": _read(path)}
    found: dict[str, bytes] = {}
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    for part in PARTS:
        own = [file for file in files if part in file.name.lower()]
        if len(own) > 1:
            raise UsageError(
                f"The folder of a text must have one file for {part}, but {path} has {own[0].name} and "
                f"{own[1].name}; name the others otherwise, or take them away."
            )
        if own:
            found[part] = _read(own[0])
        elif part != PARTS[-1]:
            raise UsageError(
                f"The folder of a text must have files called train, valid and test, such as {part}.txt, but "
                f"{path} has none for {part}."
            )
    return found


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"The text {path} must be readable, but it is not: {error}.") from error
    if not content.strip():
        raise UsageError(f"A text must have words, but {path} is empty.")
    return content


def cut(count: int) -> tuple[slice, slice, slice]:
    """Returns which of `count` tokens are trained on, held out and tested on."""
    first, second = SHARES[0] * count // sum(SHARES), (SHARES[0] + SHARES[1]) * count // sum(SHARES)
    return slice(0, first), slice(first, second), slice(second, count)
