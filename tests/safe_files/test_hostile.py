"""Files and names from strangers: each refused in a sentence that names it, and nothing run or written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nas_ray.errors import UsageError
from tests.night import by_day
from tests.safe_files import images, links, names, pickles, runs, tables, tuned  # noqa: F401 - they fill the list
from tests.safe_files.cases import CANARY, CASES

LONGEST = 1_200
"""Characters of a message; lists of all known names are long."""


def content(folder: Path) -> set[tuple[str, int]]:
    """Returns path and size of all that lies below `folder`, links not followed."""
    return {(str(path), path.lstat().st_size) for path in folder.rglob("*")}


def outside(folder: Path) -> dict[str, bytes]:
    """Returns all files beside `folder` with what they hold."""
    files = [path for path in folder.parent.rglob("*") if not path.is_relative_to(folder) and path.is_file()]
    return {str(path): path.read_bytes() for path in files}


LONG = "a billion rows in a small Parquet file"


@pytest.mark.parametrize(
    "title",
    by_day(
        sorted(CASES),
        {title for title in CASES if not title.endswith(LONG)},
        faster="test_a_stranger_is_refused",
    ),
)
def test_a_stranger_is_refused(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("PATH", os.environ["PATH"])  # which a case may change
    hostile = CASES[title](folder)
    before, beside = content(tmp_path), outside(folder)
    with pytest.raises(UsageError) as caught:
        hostile.read()
    said = str(caught.value)
    assert hostile.says in said
    assert said.isprintable() or "\0" in hostile.says
    assert "Traceback" not in said
    assert len(said) < LONGEST
    assert said[-1] in ".)"
    assert not (tmp_path / CANARY).exists()
    assert outside(folder) == beside
    assert {name for name, _ in content(tmp_path) - before} <= {
        str(folder / ".lock"),
    }


def test_there_are_many() -> None:
    assert len(CASES) >= 100
