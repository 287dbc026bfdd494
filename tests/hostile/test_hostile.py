"""Files and names from strangers: each refused in a sentence that names it, and nothing run or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_ray.errors import UsageError
from tests.hostile import images, names, pickles, runs, tables  # noqa: F401 - they fill the list
from tests.hostile.cases import CANARY, CASES

LONGEST = 1_200
"""Characters of a message; lists of all known names are long."""


def content(folder: Path) -> set[tuple[str, int]]:
    """Returns path and size of all that lies below `folder`, links not followed."""
    return {(str(path), path.lstat().st_size) for path in folder.rglob("*")}


@pytest.mark.parametrize("title", sorted(CASES))
def test_a_stranger_is_refused(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    hostile = CASES[title](folder)
    before = content(tmp_path)
    with pytest.raises(UsageError) as caught:
        hostile.read()
    said = str(caught.value)
    assert hostile.says in said
    assert said.isprintable() or "\0" in hostile.says
    assert "Traceback" not in said
    assert len(said) < LONGEST
    assert said[-1] in ".)"
    assert not (tmp_path / CANARY).exists()
    assert {name for name, _ in content(tmp_path) - before} <= {
        str(folder / "chunks"),
        str(folder / "chunks" / ".lock"),
    }


def test_there_are_many() -> None:
    assert len(CASES) >= 100
