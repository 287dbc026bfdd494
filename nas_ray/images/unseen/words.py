"""Words of languages: the files of a folder, and the six letters of each word."""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from pathlib import Path

from nas_ray.errors import UsageError

LETTERS = string.ascii_lowercase[:24]
"""From a to x: 24, which nets can halve."""
LONG, TOGETHER = 6, 4
"""Letters of a word and words of an image."""
LANGUAGE_SIZE = LONG * TOGETHER
FEWEST = 20
"""Words of a language."""
_WHAT = "words of generated:language must be a folder with two or more files NAME.txt"


def language_files(folder: str) -> list[Path]:
    """Returns the files of a folder that have the words of languages, in the order of their names.

    Raises:
        UsageError: there are fewer than two.
    """
    try:
        path = Path(folder).expanduser()
        files = sorted(file for file in path.glob("*.txt") if file.is_file() and file.name[0] != ".")
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{_WHAT}, but {folder!r} cannot be read: {error}.") from error
    if len(files) < 2:
        raise UsageError(f"{_WHAT}, but {folder!r} has {len(files) or 'none'}.")
    return files


def words_of(folder: str) -> dict[str, list[str]]:
    """Returns the words of each language by its name, sorted; none is in two languages.

    Raises:
        UsageError: a file cannot be read, or has fewer than `FEWEST` words.
    """
    found = {file.stem: _words(file) for file in language_files(folder)}
    languages = Counter(word for words in found.values() for word in words)
    kept = {name: sorted(word for word in words if languages[word] == 1) for name, words in found.items()}
    for name, words in kept.items():
        if len(words) < FEWEST:
            raise UsageError(
                f"A language of generated:language must have at least {FEWEST} words of {LONG} letters from "
                f"{LETTERS[0]} to {LETTERS[-1]} that no other has, but {name}.txt in {folder!r} has "
                f"{len(words)}: add words, or take the file away."
            )
    return kept


def plain(word: str) -> str:
    """Returns a word in small letters and without accents."""
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _words(file: Path) -> set[str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"Words must be a text file in UTF-8, but {file} cannot be read: {error}."
        ) from error
    return {
        word for word in map(plain, text.split()) if len(word) == LONG and not set(word).difference(LETTERS)
    }
