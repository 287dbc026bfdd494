"""Texts as they are read: parts, vocabulary, and what is no text."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.text.corpus import Corpus, open_corpus
from nas_ray.text.embedded import embedded_text
from nas_ray.text.spec import TextSpec
from nas_ray.text.vocabulary import Vocabulary, words_of


def folder(path: Path, **parts: str) -> Path:
    for name, content in parts.items():
        (path / f"wiki.{name}.tokens").write_text(content, encoding="utf-8")
    return path


def said(corpus: Corpus, tokens: np.ndarray) -> str:
    return " ".join(corpus.vocabulary.words[number] for number in tokens)


def test_every_line_ends_also_empty_ones() -> None:
    assert words_of(" \n = A = \nb\n") == ["<eos>", "=", "A", "=", "<eos>", "b", "<eos>"]
    assert words_of("no end") == ["no", "end", "<eos>"]


def test_rare_words_and_words_of_the_held_out_parts_are_unknown(tmp_path: Path) -> None:
    path = folder(tmp_path, train="a b a c\nb a once\n", valid="a new b\n", test="c c\n")
    corpus = open_corpus(TextSpec(str(path)))
    assert corpus.vocabulary.words == ("<unk>", "<eos>", "a", "b")
    assert said(corpus, corpus.train) == "a b a <unk> <eos> b a <unk> <eos>"
    assert said(corpus, corpus.valid) == "a <unk> b <eos>"
    assert said(corpus, corpus.test) == "<unk> <unk> <eos>"
    every = open_corpus(TextSpec(str(path), min_count=1))
    assert every.vocabulary.words == ("<unk>", "<eos>", "a", "b", "c", "once")
    assert every.sha256 != corpus.sha256


def test_one_file_is_cut_into_three_parts(tmp_path: Path) -> None:
    file = tmp_path / "all.txt"
    file.write_text("a b c\n" * 25)
    corpus = open_corpus(TextSpec(str(file)))
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [80, 10, 10]
    assert said(corpus, np.concatenate([corpus.train, corpus.valid, corpus.test])) == "a b c <eos> " * 24 + (
        "a b c <eos>"
    )


def test_bytes_are_read_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "data.bin"
    file.write_bytes(bytes(range(256)) * 2)
    corpus = open_corpus(TextSpec(str(file), "bytes"))
    assert len(corpus.vocabulary) == 256
    whole = np.concatenate([corpus.train, corpus.valid, corpus.test])
    assert bytes(whole.astype(np.uint8)) == file.read_bytes()


@pytest.mark.data
def test_published_texts_are_counted_as_published(data_dir: Path) -> None:
    """WikiText-2 has 217,646 words to validate with and 245,569 to test with, lines' ends among them."""
    counts = [
        len(words_of((data_dir / f"wikitext2_{part}.txt").read_text(encoding="utf-8")))
        for part in ("valid", "test")
    ]
    assert counts == [217_646, 245_569]


def test_the_embedded_text_is_always_the_same_and_repeats_no_line() -> None:
    first, again = open_corpus(TextSpec()), open_corpus(TextSpec())
    assert first.sha256 == again.sha256
    assert len(first.train) > 10_000
    assert len(first.vocabulary) > 500
    lines = embedded_text().splitlines()
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "A text must have words, but {path} is empty."),
        (b" \n\n", "A text must have words, but {path} is empty."),
        (
            b"a b \xff\xfe c",
            "Words are read from text in UTF-8, but {path} is none (at byte 4); convert it, or give "
            "tokens=bytes.",
        ),
        (b"a\0b", "Words are read from text, but {path} is a binary file; give tokens=bytes."),
        (
            b"word " * 50,
            "A text must have at least 2 words that come 2 times or more in its training part, but in {path} "
            "the word 'word' alone comes as often; give more text, a smaller min_count, or tokens=bytes.",
        ),
        (
            b"each word once",
            "A text must have at least 2 words that come 2 times or more in its training part, but in {path} "
            "no word comes as often; give more text, a smaller min_count, or tokens=bytes.",
        ),
        (
            b"a b a b",
            "A text must have at least 2 tokens in each part, but of {path} 0 are left for valid; give more "
            "text.",
        ),
    ],
)
def test_what_is_no_text_is_told_in_a_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        open_corpus(TextSpec(str(path)))
    assert str(raised.value) == message.format(path=path)


def test_folders_without_the_parts_are_told_in_a_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "nothing"
    with pytest.raises(UsageError, match=r"text:PATH needs a file or a folder, but there is no .*nothing"):
        open_corpus(TextSpec(str(missing)))
    os.mkfifo(tmp_path / "pipe")  # which would be waited for
    with pytest.raises(UsageError, match=r"needs a file or a folder, but .*pipe is neither"):
        open_corpus(TextSpec(str(tmp_path / "pipe")))
    path = folder(tmp_path, train="a b a b\n")
    with pytest.raises(UsageError, match=r"such as valid.txt, but .* has none for valid"):
        open_corpus(TextSpec(str(path)))
    folder(tmp_path, valid="a b a b\n")
    assert len(open_corpus(TextSpec(str(path))).test) == 0
    (path / "train2.txt").write_text("b")
    with pytest.raises(UsageError, match=r"one file for train, but .* has train2.txt and wiki.train.tokens"):
        open_corpus(TextSpec(str(path)))


def test_a_vocabulary_knows_its_words() -> None:
    words = Vocabulary.of(["a", "b", "b", "a", "c"], 2, "it")
    assert words.numbers(["b", "zebra", "<eos>"]).tolist() == [3, 0, 1]
    assert "a" in words
    assert "c" not in words
