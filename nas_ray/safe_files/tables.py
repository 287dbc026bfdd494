"""Reads tables and lists from files: by one rule of names, encodings and room for every reader."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import itertools
import lzma
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from nas_ray.errors import UsageError, describe

ARCH = "arch"

MOST_BYTES = 2**31
"""Bytes of an unpacked table; the largest that this package writes, of 32,768 archs, has some 30 MB."""

MOST_CHARACTERS = 2**28
"""Characters of a list of archs in a text file."""

ENDINGS = (".csv", ".csv.gz", ".parquet")
"""How the names of tables end that are written here; more are read."""

_PARQUET = (".parquet", ".pq")
_TEXT = (".csv", ".tsv")
_DELIMITERS = ",;\t"
_CHUNK = 2**16


def table_ending(path: Path) -> str | None:
    """Returns the ending of a table's name in small letters, such as `.csv.gz`; None for any other name."""
    name = path.name.lower()
    packed = _packing(path) or ""
    inner = Path(name.removesuffix(packed)).suffix
    known = _TEXT if packed else (*_TEXT, *_PARQUET)
    return inner + packed if inner in known else None


def read_table(path: Path) -> pd.DataFrame:
    """Returns the table at `path`: Parquet by its ending, else CSV, whose cells stay text.

    As `read_rows`.
    """
    return read_rows(path)[0]


def read_own_table(path: Path, wrote: str, held: str) -> pd.DataFrame:
    """Returns a table of a folder to go on in, as `read_table` does.

    Args:
        path: of the table.
        wrote: what wrote it, for the message.
        held: what its rows are, for the message.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return read_table(path)
    except Exception as error:  # whatever a reader may raise on any bytes
        raise UsageError(
            f"{path} must be the table that {wrote} wrote, but cannot be read ({describe(error)}); "
            f"remove it, and its {held} are made again."
        ) from error


def read_rows(path: Path) -> tuple[pd.DataFrame, Sequence[int] | None]:
    """Returns the table at `path`, and of a text the line in which each row ends, counted from 1.

    Parquet by its ending, in any case, else text with a header: UTF-8 or, with a mark, UTF-16; commas,
    semicolons or tabs; also packed (.gz, .bz2, .xz, .zip). Cells of a text stay text, so that nothing is
    taken for a number that is none. An index called `arch` is the column `arch`.

    A few megabytes of either may unpack to all of a machine's memory, so what a file says of itself, or how
    far it unpacks, is looked at first.

    Raises:
        ValueError: no regular file, more than there is room for, or no table.
        Exception: whatever the readers raise on damaged files; they have no common type.
    """
    if path.exists() and not path.is_file():  # to open a FIFO would block for ever
        raise ValueError("it is no regular file")
    if path.suffix.lower() not in _PARQUET:
        with open_text(path) as file:
            return _read_csv(file)
    with path.open("rb") as packed:  # as Arrow knows UTF-8 names alone
        _check_parquet(packed)
        frame = pd.read_parquet(packed)
    named = ARCH in frame.index.names and ARCH not in frame.columns
    return (frame.reset_index() if named else frame), None


def read_lines(path: Path) -> list[str]:
    """Returns the lines of a text file without blanks at their ends, and without blank lines.

    Raises:
        ValueError: more than there is room for, or no text.
        OSError: it cannot be read.
    """
    with open_text(path) as file:
        text = file.read(MOST_CHARACTERS + 1)
    if len(text) > MOST_CHARACTERS:
        raise ValueError("it has no room in memory")
    return [line.strip() for line in text.splitlines() if line.strip()]


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """Opens a text for reading, unpacked by its ending and decoded by the mark at its beginning.

    Raises:
        ValueError: unpacked there is no room for it.
        OSError: it cannot be read.
    """
    packing = _packing(path)
    unpack: Callable[[Path], io.BufferedIOBase] = (
        _UNPACK[packing] if packing else lambda given: given.open("rb")
    )
    if packing:
        _check_packed(path, unpack)
    with unpack(path) as binary, io.BufferedReader(binary) as buffered:
        begin = buffered.peek(4)[:4]
        wide = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        with io.TextIOWrapper(buffered, encoding="utf-16" if wide else "utf-8-sig", newline="") as text:
            yield text


def _packing(path: Path) -> str | None:
    ending = path.suffix.lower()
    return ending if ending in _UNPACK else None


def _open_zip(path: Path) -> io.BufferedIOBase:
    with zipfile.ZipFile(path) as archive:  # an open member keeps the file open
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise ValueError(f"a packed table must be the only file, and it holds {len(names)}")
        return cast(io.BufferedIOBase, archive.open(names[0]))


_UNPACK: dict[str, Callable[[Path], io.BufferedIOBase]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zip": _open_zip,
}


def _read_csv(file: IO[str]) -> tuple[pd.DataFrame, list[int]]:
    """Returns the rows of a text that are not blank as columns of text, and their lines."""
    blank, head = 0, file.readline()
    while head and not head.strip():
        blank, head = blank + 1, file.readline()
    if not head:
        raise ValueError("it is empty")
    if "\0" in head:
        raise ValueError("it has null bytes, which no UTF-8 text has")
    delimiter = next((mark for mark in _DELIMITERS if ARCH in _names(head, mark)), ",")
    reader = csv.reader(itertools.chain([head], file), delimiter=delimiter, strict=True)
    lines: list[int] = []
    chunks: list[list[pa.Array]] = []
    try:
        names = [name.strip() or f"Unnamed: {place}" for place, name in enumerate(next(reader))]
        rows = _fitting(reader, names, lines, blank)
        while chunk := list(itertools.islice(rows, _CHUNK)):
            chunks.append([pa.array(cells, pa.large_string()) for cells in zip(*chunk, strict=True)])
    except csv.Error as error:
        raise ValueError(f"line {blank + reader.line_num} is no CSV: {error}") from error
    held = zip(*chunks, strict=True) if chunks else [()] * len(names)
    arrays = [pa.chunked_array(list(parts), pa.large_string()) for parts in held]
    frame = pa.Table.from_arrays(arrays, [str(place) for place in range(len(arrays))]).to_pandas()
    return frame.set_axis(names, axis=1), lines


def _names(head: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([head], delimiter=delimiter))]


def _fitting(
    reader: Iterable[list[str]], names: list[str], lines: list[int], blank: int
) -> Iterator[list[str]]:
    """Yields the rows with as many cells as `names`, and adds their lines to `lines`.

    Rows may lack cells at their end, which are empty then, and may have more empty ones. If all have one cell
    more, the first is the name of the row, which the header does not name.
    """
    numbered = False
    for cells in reader:
        if not any(map(str.strip, cells)):
            continue
        line = blank + reader.line_num  # type: ignore[attr-defined]
        if not lines and len(cells) == len(names) + 1 and cells[-1].strip():
            numbered = True
            names.insert(0, "Unnamed: 0")
        width = len(names)
        if numbered and len(cells) < width:
            raise ValueError(f"line {lines[0]} has {width} cells, and the header {width - 1}")
        if any(map(str.strip, cells[width:])):
            raise ValueError(
                f"line {line} has {len(cells)} cells, and the header {width - numbered}: after "
                f"{cells[width - 1][:40]!r} comes {cells[width][:40]!r}"
            )
        lines.append(line)
        yield cells[:width] + [""] * (width - len(cells))


def _room() -> int:
    return min(MOST_BYTES, psutil.virtual_memory().available // 4)


def _check_parquet(file: IO[bytes]) -> None:
    held = pq.read_metadata(file)
    parts = sum(held.row_group(number).total_byte_size for number in range(held.num_row_groups))
    needed = max(8 * held.num_rows * held.num_columns, parts)
    if needed > _room():
        raise ValueError(f"its {held.num_rows:,} rows have no room in memory")


def _check_packed(path: Path, unpack: Callable[[Path], io.BufferedIOBase]) -> None:
    left = _room()
    with unpack(path) as file:
        while read := len(file.read(2**20)):
            left -= read
            if left < 0:
                raise ValueError("unpacked it has no room in memory")
