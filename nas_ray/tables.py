"""Reads a CSV or Parquet table, and no more of it than there is room for."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import psutil
import pyarrow.parquet as pq

MOST_BYTES = 2**31
"""Bytes of an unpacked table; the largest that this package writes, of 32,768 archs, has some 30 MB."""


def read_table(path: Path) -> pd.DataFrame:
    """Returns the table at `path`: Parquet by its ending, else CSV, also as `.csv.gz`.

    A few megabytes of either may unpack to all of a machine's memory, so what a file says of itself, or how
    far it unpacks, is looked at first.

    Raises:
        ValueError: no regular file, or more than there is room for.
        Exception: whatever the readers raise on damaged files; they have no common type.
    """
    if path.exists() and not path.is_file():  # to open a FIFO would block for ever
        raise ValueError("it is no regular file")
    if path.suffix == ".parquet":
        _check_parquet(path)
        return pd.read_parquet(path)
    if path.suffix == ".gz":
        _check_packed(path)
    return pd.read_csv(path)


def _room() -> int:
    return min(MOST_BYTES, psutil.virtual_memory().available // 4)


def _check_parquet(path: Path) -> None:
    held = pq.read_metadata(path)
    parts = sum(held.row_group(number).total_byte_size for number in range(held.num_row_groups))
    needed = max(8 * held.num_rows * held.num_columns, parts)
    if needed > _room():
        raise ValueError(f"its {held.num_rows:,} rows have no room in memory")


def _check_packed(path: Path) -> None:
    left = _room()
    with gzip.open(path) as file:
        while read := len(file.read(2**20)):
            left -= read
            if left < 0:
                raise ValueError("unpacked it has no room in memory")
