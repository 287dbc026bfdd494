from __future__ import annotations

import shutil
from pathlib import Path

from nas_ray.runs.kept import lost


def test_what_is_there_is_not_lost(tmp_path: Path) -> None:
    assert lost(tmp_path) is None
    assert lost(str(tmp_path)) is None
    assert lost("s3://a/b", tmp_path) is None


def test_what_was_removed_is_lost(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "rows").touch()
    assert lost(run, file="rows") is None
    (run / "rows").unlink()
    assert lost(run, file="rows") == f"{run / 'rows'} was removed meanwhile, and what was done with it"
    shutil.rmtree(run)
    assert lost(run, run, file="rows") == f"the folder {run} was removed meanwhile, and what was done with it"
    assert lost("s3://a/b", run) == (
        f"the folder {run} was removed meanwhile, so only what had reached s3://a/b is kept"
    )
