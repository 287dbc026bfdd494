"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nas_ray.runs.writing import staged, write_atomically, write_json, write_table, write_text


def full(path: Path) -> None:
    path.write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "a.csv", full)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "old"}


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: write_json(folder / "run.json", {}),
        lambda folder: write_text(folder / "a.md", "text"),
        lambda folder: write_table(folder, pd.DataFrame({"a": [1]})),
    ],
)
def test_every_writer_is_one_of_them(
    write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", lambda *_: full(tmp_path / "other"))
    with pytest.raises(OSError, match="No space"):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_files_that_belong_together_are_moved_together(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    (tmp_path / "c.csv").write_text("kept")
    with staged(tmp_path) as beside:
        (beside / "a.csv").write_text("new")
        (beside / "b.csv").write_text("new")
        assert (tmp_path / "a.csv").read_text() == "old"
    files = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert files == {"a.csv": "new", "b.csv": "new", "c.csv": "kept"}


def test_none_is_moved_if_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")

    def write_both() -> None:
        with staged(tmp_path) as beside:
            (beside / "a.csv").write_text("new")
            full(beside / "b.csv")

    with pytest.raises(OSError, match="No space"):
        write_both()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "old"}
