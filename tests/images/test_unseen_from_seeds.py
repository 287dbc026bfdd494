"""Images made of words, of Sudokus and of shapes: labels from what is read off the pixels."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.images.unseen.sudoku import PATTERNS
from nas_ray.images.unseen.words import LETTERS, plain
from tests.images.test_unseen import array, opened, word_files


def words_shown(image: np.ndarray) -> list[str]:
    """Returns the four words of an image; each row has one white pixel, or this raises."""
    letters = []
    for row in image:
        (place,) = np.flatnonzero(row)
        assert row[place] == 255
        letters.append(LETTERS[place])
    return ["".join(letters[start : start + 6]) for start in range(0, 24, 6)]


def test_words_are_of_the_language_and_test_words_are_others(tmp_path: Path) -> None:
    folder = word_files(tmp_path)
    train, test, names = opened(f"generated:language,words={folder},train=600,test=300")
    assert names == ("east", "north", "west")
    files = {name: set((folder / f"{name}.txt").read_text().split()) for name in names}
    shown: dict[str, set[str]] = {}
    for part, split in (("train", train), ("test", test)):
        assert array(split).shape[1:] == (24, 24)
        for image, label in zip(array(split), split.labels, strict=True):
            found = words_shown(image)
            assert set(found) <= files[names[label]]
            shown.setdefault(part, set()).update(found)
    assert not shown["train"] & shown["test"]
    assert shown["train"] | shown["test"] == set().union(*files.values())
    assert len(shown["test"]) == 3 * 12  # a fifth


def test_words_are_made_plain_and_those_of_two_languages_are_left_out(tmp_path: Path) -> None:
    assert [plain(word) for word in ("Élèves", "Straße", "MÜLLER")] == ["eleves", "strasse", "muller"]
    letters = "abcdefghijklmnopqrst"
    (tmp_path / "one.txt").write_text(
        "\ufeffÉLÈVES lively seven77 shared shorts' " + " ".join(f"one{a}ab" for a in letters),
        encoding="utf-8",
    )
    (tmp_path / "two.txt").write_text("sháred " + " ".join(f"two{a}ab" for a in letters), encoding="utf-8")
    (tmp_path / "notes.md").write_text("nothing")
    train, test, names = opened(f"generated:language,words={tmp_path},train=800,test=400")
    assert names == ("one", "two")
    shown = {word for split in (train, test) for image in array(split) for word in words_shown(image)}
    assert shown == {"eleves", *(f"{name}{a}ab" for name in names for a in letters)}


def test_bad_words_are_one_sentence(tmp_path: Path) -> None:
    spec = f"generated:language,words={tmp_path}"
    words = " ".join(f"wor{a}{b}a" for a, b in product("abcde", repeat=2))
    refusals = {}
    for name, content in (("empty", None), ("one", words), ("two", "few words"), ("three", b"\xff\xfe")):
        if isinstance(content, str):
            (tmp_path / f"{name}.txt").write_text(content)
        elif content:
            (tmp_path / f"{name}.txt").write_bytes(content)
        with pytest.raises(UsageError) as caught:
            opened(spec)
        refusals[name] = str(caught.value)
    start = (
        f"words of generated:language must be a folder with two or more files NAME.txt, but '{tmp_path}' has"
    )
    assert refusals["empty"] == f"{start} none."
    assert refusals["one"] == f"{start} 1."
    assert refusals["two"] == (
        "A language of generated:language must have at least 20 words of 6 letters from a to x that no other "
        f"has, but two.txt in '{tmp_path}' has 0: add words, or take the file away."
    )
    third = tmp_path / "three.txt"
    assert refusals["three"].startswith(f"Words must be a text file in UTF-8, but {third} cannot be read: ")


SIGNS: dict[str, int | str | None] = {
    pattern.replace(" ", ""): digit for digit, pattern in enumerate(PATTERNS)
}
SIGNS |= {"#" * 9: "marked", "." * 9: None}


def cells_of(image: np.ndarray) -> list[list[int | str | None]]:
    """Returns the 9x9 cells: a digit less 1, `marked`, or None for an empty one."""
    cells: list[list[int | str | None]] = []
    for row in range(9):
        cells.append([])
        for column in range(9):
            cell = image[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            assert not cell[3].any()
            assert not cell[:, 3].any()
            sign = "".join("#" if pixel else "." for pixel in cell[:3, :3].ravel())
            cells[-1].append(SIGNS[sign])
    return cells


def test_patterns_are_apart() -> None:
    signs = np.array([[sign == "#" for sign in pattern] for pattern in list(SIGNS)[:9]])
    assert signs.sum(1).tolist() == [4] * 9
    apart = (signs[:, None] != signs).sum(2)
    assert apart[~np.eye(9, dtype=bool)].min() >= 4


@pytest.mark.parametrize("shown", [1, 4, 7])
def test_the_marked_cell_has_one_answer(shown: int) -> None:
    train, test, names = opened(f"generated:sudoku,shown={shown},train=300,test=50")
    assert names == tuple("123456789")
    places, enough = set(), 0
    for split in (train, test):
        for image, label in zip(array(split), split.labels, strict=True):
            cells = cells_of(image)
            ((row, column),) = [at for at in product(range(9), repeat=2) if cells[at[0]][at[1]] == "marked"]
            places.add((row, column))
            box = [(3 * (row // 3) + r, 3 * (column // 3) + c) for r, c in product(range(3), repeat=2)]
            units = [[(row, c) for c in range(9)], [(r, column) for r in range(9)], box]
            peers = {at for unit in units for at in unit} - {(row, column)}
            digits = [cells[r][c] for r, c in peers if cells[r][c] is not None]
            assert len(digits) == len(set(digits)) == 8
            assert set(range(9)) - set(digits) == {label}
            enough += any(sum(cells[r][c] is not None for r, c in unit) == 9 for unit in units)
            everything = [cell for line in cells for cell in line]
            assert [everything.count(digit) for digit in range(9)] == [shown] * 9
            for unit in every_unit():  # what is shown breaks no rule
                held = [cells[r][c] for r, c in unit if cells[r][c] not in (None, "marked")]
                assert len(held) == len(set(held))
    assert len(places) > 75
    assert enough < 5


def every_unit() -> list[list[tuple[int, int]]]:
    rows = [[(r, c) for c in range(9)] for r in range(9)]
    columns = [[(r, c) for r in range(9)] for c in range(9)]
    boxes = [
        [(3 * a + r, 3 * b + c) for r, c in product(range(3), repeat=2)]
        for a, b in product(range(3), repeat=2)
    ]
    return rows + columns + boxes


def pieces(image: np.ndarray) -> list[np.ndarray]:
    """Returns the masks of the connected pieces that are lit, each cut to what it fills."""
    left = (np.abs(image.astype(int) - 51) > 2).any(2)
    found = []
    while left.any():
        reached = np.zeros_like(left)
        reached[tuple(np.argwhere(left)[0])] = True
        while True:
            grown = reached.copy()
            grown[1:] |= reached[:-1]
            grown[:-1] |= reached[1:]
            grown[:, 1:] |= reached[:, :-1]
            grown[:, :-1] |= reached[:, 1:]
            grown &= left
            if (grown == reached).all():
                break
            reached = grown
        rows, columns = np.flatnonzero(reached.any(1)), np.flatnonzero(reached.any(0))
        found.append(reached[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        left &= ~reached
    return found


def test_discs_are_counted() -> None:
    train, test, _ = opened("generated:shapes,noise=0,train=210,test=70")
    kinds: dict[tuple[int, int], int] = {}
    for split in (train, test):
        for image, label in zip(array(split), split.labels, strict=True):
            lit = (np.abs(image.astype(int) - 51) > 2).any(2)
            assert lit.sum() == 6 * 21
            found = pieces(image)
            if len(found) == 6:  # where none touch
                assert all(piece.sum() == 21 for piece in found)
                round_ = [piece for piece in found if piece.shape == (5, 5)]
                assert len(round_) == label
                assert not any(
                    piece[corner] for piece in round_ for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1))
                )
                for piece in found:
                    kinds[piece.shape] = kinds.get(piece.shape, 0) + 1
    assert set(kinds) == {(5, 5), (3, 7), (7, 3), (5, 7), (7, 5)}
    others = sum(count for shape, count in kinds.items() if shape != (5, 5))
    for shape, share in (((3, 7), 1 / 6), ((7, 3), 1 / 6), ((5, 7), 1 / 3), ((7, 5), 1 / 3)):
        assert kinds[shape] / others == pytest.approx(share, abs=0.06)


def test_noise_of_shapes_has_the_deviation_that_is_asked_for() -> None:
    noisy, _, _ = opened("generated:shapes,noise=0.03,train=40")
    clean, _, _ = opened("generated:shapes,noise=0,train=40")
    difference = (array(noisy).astype(float) - array(clean))[array(clean) == 51] / 255
    assert difference.std() == pytest.approx(0.03, rel=0.03)
