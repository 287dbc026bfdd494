"""Files that appear whole or not at all, and leave nothing behind where they cannot be written."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_ray.errors import encodable

if TYPE_CHECKING:  # which take half a second, and commands answer before
    import pandas as pd

TEMPORARY = re.compile(r"\.\d+-")
"""How the names of files and folders begin that a process has not finished: a dot and its number."""


def temporary_of(path: Path) -> Path:
    """Returns the name under which this process writes `path`; it keeps the ending, which says the format."""
    return path.with_name(f".{os.getpid()}-{path.name}")


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Calls `write(temporary)` and renames the result: a kill leaves the old file or the new one.

    What `write` raises leaves the old file, and no temporary one.
    """
    temporary = temporary_of(path)
    temporary.unlink(missing_ok=True)  # it may be a link, and what it leads to would be written
    try:
        write(temporary)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Gives a folder beside the files of `folder`, into which its files are moved when all are written.

    Files that belong together are of one run: whatever ends the writing leaves those of the run before.
    """
    beside = temporary_of(folder / "staged")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        for path in sorted(beside.iterdir()):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Removes what processes left that were killed while they wrote into `folder`, which must be locked."""
    for path in folder.iterdir():
        if TEMPORARY.match(path.name):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Writes `content` at once or not at all; NaN and infinities become null."""
    text = json.dumps(_plain(content), indent=2) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_text(path: Path, text: str) -> None:
    """Writes `text` at once or not at all; what UTF-8 cannot hold is written as an escape."""
    write_atomically(path, lambda temporary: temporary.write_text(encodable(text), encoding="utf-8"))


def write_table(folder: Path, rows: pd.DataFrame, name: str = "results") -> None:
    """Writes `rows` as `name.parquet` and `name.csv`."""
    write_parquet(folder / f"{name}.parquet", rows)
    write_csv(folder / f"{name}.csv", rows)


def write_csv(path: Path, rows: pd.DataFrame) -> None:
    """Writes `rows` as CSV, packed where the name ends so, at once or not at all."""
    write_atomically(path, lambda temporary: rows.to_csv(temporary, index=False))


def write_parquet(path: Path, rows: pd.DataFrame) -> None:
    """Writes `rows` as Parquet at once or not at all; Arrow gets the file, as it knows UTF-8 names only."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            rows.to_parquet(file, index=False)

    write_atomically(path, write)


def _plain(value: Any) -> Any:
    """Returns `value` with only what strict JSON knows."""
    import numpy as np

    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
