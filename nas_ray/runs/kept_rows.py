"""The finished rows of a study in its folder, so that no part of it is made twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_ray.rows import records
from nas_ray.runs.writing import staged, write_table

Key = tuple[Any, ...]


class KeptRows:
    """Rows by a key, which a table of the folder has from earlier processes and every further one at once.

    Rows of other settings stay in the table, as long as something in their key tells them apart.

    Args:
        folder: of the study, which is claimed.
        name: of the table, without an ending.
        keys: the columns that are the key.
        kind: what a row is, for messages, such as `searches`.

    Raises:
        UsageError: the folder holds a table that cannot be read.
    """

    def __init__(self, folder: Path, name: str, keys: Sequence[str], kind: str) -> None:
        from nas_ray.safe_files.tables import read_own_table  # pandas takes half a second

        self._folder, self._name, self._keys = folder, name, tuple(keys)
        self._rows: dict[Key, dict[str, Any]] = {}
        path = folder / f"{name}.parquet"
        if not path.exists():
            return
        table = read_own_table(path, "this command", kind)
        if set(keys) <= set(table.columns):
            self._rows = {self.key(row): row for row in records(table)}

    def key(self, row: Mapping[Any, Any]) -> Key:
        """Returns the key of a row."""
        return tuple(row[name] for name in self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __getitem__(self, key: Key) -> dict[str, Any]:
        return self._rows[key]

    def add(self, row: Mapping[str, Any]) -> None:
        """Takes a finished row, in the place of an earlier one with its key, and writes the table."""
        import pandas as pd

        self._rows[self.key(row)] = dict(row)
        with staged(self._folder) as beside:
            write_table(beside, pd.DataFrame(list(self._rows.values())), self._name)
