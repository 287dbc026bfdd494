"""A text in numbers: its vocabulary and its three parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.text.embedded import embedded_text
from nas_ray.text.parts import PARTS, cut, read_parts
from nas_ray.text.spec import BYTES, TextSpec
from nas_ray.text.vocabulary import Tokens, Vocabulary, words_of


@dataclass(frozen=True)
class Corpus:
    """A text that is read.

    Attributes:
        spec: which.
        vocabulary: made of the training part alone, or the 256 bytes.
        train: tokens `[N]` int64 to learn from.
        valid: held out to compare nets by.
        test: held out for the last word; may be empty.
        sha256: of all that was read, and of what was made of it.
    """

    spec: TextSpec
    vocabulary: Vocabulary
    train: Tokens
    valid: Tokens
    test: Tokens
    sha256: str

    @property
    def description(self) -> str:
        """One phrase: what the text is, and how long its parts are."""
        what = self.spec.path or "the pages of Python's help"
        lengths = f"{len(self.train):,} {self.spec.tokens} to learn from, {len(self.valid):,} held out"
        test = f", {len(self.test):,} to test" if len(self.test) else ""
        of = "" if self.spec.tokens == BYTES else f", {len(self.vocabulary):,} different"
        return f"{what}: {lengths}{test}{of}"

    @property
    def frequency_nats(self) -> float:
        """Nats per held-out token of a guess that knows how often tokens come in training, and nothing else.

        Each token counts once more than it comes, so that none is impossible.
        """
        counts = 1.0 + np.bincount(self.train, minlength=len(self.vocabulary))
        return float(-np.log(counts / counts.sum())[self.valid].mean())


def open_corpus(spec: TextSpec) -> Corpus:
    """Reads a text.

    Raises:
        UsageError: nothing to read, no text where words are asked for, or too few words.
    """
    source = spec.path or "the embedded text"
    raw = read_parts(Path(spec.path)) if spec.path else {"": embedded_text().encode()}
    seen = hashlib.sha256(str((spec.tokens, spec.min_count)).encode())
    for part, content in sorted(raw.items()):
        seen.update(f"{part} {len(content)}\n".encode() + content)
    vocabulary, parts = _in_bytes(raw) if spec.tokens == BYTES else _in_words(raw, spec, source)
    for name, tokens in zip(PARTS[:2], parts, strict=False):
        if len(tokens) < 2:
            raise UsageError(
                f"A text must have at least 2 tokens in each part, but of {source} {len(tokens)} are left "
                f"for {name}; give more text."
            )
    train, valid, test = parts
    return Corpus(spec, vocabulary, train, valid, test, seen.hexdigest())


def _in_bytes(raw: dict[str, bytes]) -> tuple[Vocabulary, list[Tokens]]:
    parts = {name: np.frombuffer(content, np.uint8).astype(np.int64) for name, content in raw.items()}
    if "" in parts:
        whole = parts[""]
        return Vocabulary.of_bytes(), [whole[part] for part in cut(len(whole))]
    return Vocabulary.of_bytes(), [parts.get(name, np.empty(0, np.int64)) for name in PARTS]


def _in_words(raw: dict[str, bytes], spec: TextSpec, source: str) -> tuple[Vocabulary, list[Tokens]]:
    told = {name: words_of(_decoded(content, name, source)) for name, content in raw.items()}
    if "" in told:
        parts = [told[""][part] for part in cut(len(told[""]))]
    else:
        parts = [told.get(name, []) for name in PARTS]
    vocabulary = Vocabulary.of(parts[0], spec.min_count, source)
    return vocabulary, [vocabulary.numbers(part) for part in parts]


def _decoded(content: bytes, part: str, source: str) -> str:
    of = f"the part {part} of {source}" if part else source
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"Words are read from text in UTF-8, but {of} is none (at byte {error.start:,}); convert it, or "
            "give tokens=bytes."
        ) from error
    if "\0" in text:
        raise UsageError(f"Words are read from text, but {of} is a binary file; give tokens=bytes.")
    return text.replace("\r\n", "\n")
