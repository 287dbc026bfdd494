from __future__ import annotations

import shutil
from pathlib import Path

from nas_ray.kept import kept_in


def test_what_is_there_is_said_to_be_kept(tmp_path: Path) -> None:
    assert kept_in(tmp_path) == f"kept in {tmp_path}"
    assert kept_in(str(tmp_path)) == f"kept in {tmp_path}"
    assert kept_in("s3://a/b", tmp_path) == "kept in s3://a/b"


def test_what_was_removed_is_said_to_be_lost(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "rows").touch()
    assert kept_in(run, file="rows") == f"kept in {run}"
    (run / "rows").unlink()
    assert kept_in(run, file="rows") == f"lost, because {run / 'rows'} was removed meanwhile"
    shutil.rmtree(run)
    assert kept_in(run, run, file="rows") == f"lost, because the folder {run} was removed meanwhile"
    assert kept_in("s3://a/b", run) == (
        f"kept in s3://a/b as far as they had reached it: the folder {run} was removed meanwhile"
    )
