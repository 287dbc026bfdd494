"""Files of tables of accuracy: read whole, and written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from nas_ray.errors import UsageError, describe
from nas_ray.runs.folder import FILE_NAME
from nas_ray.runs.writing import write_csv, write_parquet
from nas_ray.safe_files.stored_numbers import StoredTable
from nas_ray.safe_files.tables import ENDINGS, table_ending

_ENDINGS = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Writes `frame` to `path` in the format that its name ends in; the file appears whole or not at all.

    Raises:
        UsageError: the name ends in another format, or the folder cannot be written.
    """
    check_writable(path)
    write = write_parquet if ending_of(path, written=True) == ".parquet" else write_csv
    try:
        write(path, frame)
    except OSError as error:
        raise UsageError(
            f"The table must have a writable place, got {path} ({error.strerror or error}); name another."
        ) from error


def check_writable(path: Path) -> None:
    """Checks, before the work for a table is done, that `write_table` can write it to `path`.

    Raises:
        UsageError: the name ends in another format, is a directory's, or lies in no writable folder.
    """
    if not path.name:
        raise UsageError(
            f"The table must have a file name that ends in {_ENDINGS}, got {str(path)!r}; name one."
        )
    if path.is_dir():
        reason = "Is a directory"
    elif not path.parent.is_dir():
        reason = f"there is no folder {path.parent}"
    elif path.exists() and (path.parent / FILE_NAME).exists():
        reason = f"it is a file of the run in {path.parent}"
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        reason = f"the folder {path.parent} is not writable"
    else:
        ending_of(path, written=True)
        return
    raise UsageError(f"The table must have a writable place, got {path} ({reason}); name another.")


def read_stored(path: Path) -> StoredTable:
    """Returns the table in a file, whose numbers are still text.

    Raises:
        UsageError: another format, or no file that can be read.
    """
    ending = ending_of(path)
    if path.exists() and not path.is_file():  # to open a FIFO would block for ever
        raise UsageError(f"The table must be a regular file, got {path}, which is none; check the path.")
    try:
        return StoredTable.read(path)
    except Exception as error:  # the readers and decompressors have no common exception
        raise UsageError(
            f"The table must be a readable {ending} file, got {path} ({describe(error)}); check the path or "
            "write the table again."
        ) from error


def ending_of(path: Path, *, written: bool = False) -> str:
    """Returns the ending of a table file, which says its format.

    Raises:
        UsageError: none of a table, or of one that can be written.
    """
    ending = table_ending(path)
    if ending is None or (written and ending not in ENDINGS):
        raise UsageError(
            f"A table file must end in {_ENDINGS}, got {path}; the official "
            "NATS-Bench files are named by their unpacked directory."
        )
    return ending
