"""A folder of Parquet files, one for each finished chunk of archs; resuming is reading them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from nas_ray.errors import UsageError
from nas_ray.rows import ERROR, ERROR_KIND, RAISED, Failure, Row, error_kind_of, failed
from nas_ray.runs.claim import claimed
from nas_ray.runs.folder import FILE_NAME, FORMAT, provenance, read_run, write_json
from nas_ray.runs.writing import write_parquet
from nas_ray.safe_files.foreign import check_own_files
from nas_ray.safe_files.stored_numbers import with_numbers
from nas_ray.safe_files.tables import read_table

EXPERIMENT = "score_space"
CHUNKS = "chunks"
MEASURED = ("seconds", ERROR, ERROR_KIND)


@contextmanager
def open_store(
    folder: Path,
    identity: Mapping[str, Any],
    on_damage: Callable[[str], None],
    *,
    dataset: str | None = None,
) -> Iterator[ChunkStore]:
    """Gives the store in `folder`, made if need be, to this process alone.

    Args:
        folder: of the run.
        identity: what scores depend on beside arch and proxy; plain JSON values, kept in `run.json`.
        on_damage: called with a sentence for every file that cannot be used.
        dataset: what the nets are built for, which `run.json` says for reports. It is no part of the names of
            chunks, and folders of earlier versions do not say it: they say it from now on.

    Raises:
        UsageError: the folder holds scores of another identity, dataset or links, cannot be written, or is in
            use.
    """
    with claimed(folder, EXPERIMENT):
        check_own_files(folder)
        about = {} if dataset is None else {"dataset": dataset}
        _identify(folder, identity, about)
        (folder / CHUNKS).mkdir(exist_ok=True)
        yield ChunkStore(folder, identity, on_damage, about)


def _identify(folder: Path, identity: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Compares `run.json` with `identity`, and with what it holds of `about`; or writes it."""
    if not (folder / FILE_NAME).exists():
        write_json(folder / FILE_NAME, {"format": FORMAT, **about, **identity, "runs": []})
        return
    stored = read_run(folder)
    held = {name: value for name, value in about.items() if name in stored}
    for name, value in {**held, **identity}.items():
        if stored.get(name) != value:
            raise UsageError(
                f"The folder {folder} holds scores with {name} {stored.get(name)}, but now it is {value}; "
                "choose another --out."
            )


class ChunkStore:
    """The scores that a folder holds; made by `open_store`.

    A file is named after what is in it, identity included, so that a file from elsewhere is found out. An
    arch has one score per proxy; it may come from several files.
    """

    def __init__(
        self,
        folder: Path,
        identity: Mapping[str, Any],
        on_damage: Callable[[str], None],
        about: Mapping[str, Any],
    ) -> None:
        self.folder = folder
        self._identity = dict(identity)
        self._info = {**about, **read_run(folder)}
        self._run = provenance()
        for left_over in (folder / CHUNKS).glob(".*.parquet"):
            left_over.unlink()  # of a process that was killed while it wrote
        self._tables = [
            table
            for path in sorted((folder / CHUNKS).glob("*.parquet"))
            if (table := self._read(path, on_damage)) is not None
        ]

    def _read(self, path: Path, on_damage: Callable[[str], None]) -> pd.DataFrame | None:
        try:
            table = with_numbers(read_table(path), "it")
            whole = path.stem.endswith(self._digest(table))
            why = "it is not the chunk that its name says"
        except Exception as error:  # whatever a reader may raise on any bytes
            whole, why = False, str(error) if isinstance(error, UsageError) else type(error).__name__
        if whole:
            return table
        path.replace(path.with_name(f"{path.name}.damaged"))
        on_damage(
            f"{path} cannot be used ({why}); it is now {path.name}.damaged, its archs are scored again."
        )
        return None

    def _digest(self, table: pd.DataFrame) -> str:
        values = table[scores_of(table)].to_numpy(dtype=float)
        content = [sorted(self._identity.items()), list(table.columns), table["arch"].tolist()]
        digest = hashlib.sha256(json.dumps(content).encode())
        digest.update(np.where(np.isnan(values), np.nan, values).tobytes())  # a file keeps one kind of NaN
        return digest.hexdigest()[:16]

    def add(self, place: int, table: pd.DataFrame) -> None:
        """Writes a finished chunk at once or not at all; `place` is that of its first arch in the list."""
        path = self.folder / CHUNKS / f"{place:06d}-{self._digest(table)}.parquet"
        write_parquet(path, table)
        self._tables.append(table)

    def missing(
        self, archs: Sequence[str], columns: Mapping[str, Sequence[str]], *, retry: bool = False
    ) -> dict[str, tuple[str, ...]]:
        """Returns the proxies that every arch has not all scores of, for the archs that lack any.

        Args:
            archs: the archs wanted.
            columns: the proxies wanted, and the columns of each.
            retry: a score that is undefined counts as missing.
        """
        have = {name: self._scored(own, retry) for name, own in columns.items()}
        lacking = {arch: tuple(name for name in columns if arch not in have[name]) for arch in archs}
        return {arch: names for arch, names in lacking.items() if names}

    def _scored(self, columns: Sequence[str], finite: bool) -> set[str]:
        """Returns the archs that have all scores `columns`."""
        known = [self._scores(column) for column in columns]
        return set.intersection(*(set((s[np.isfinite(s)] if finite else s).index) for s in known))

    def _scores(self, name: str) -> pd.Series[float]:
        """Returns the scores by arch, the finite one of an arch that was tried again."""
        parts = [table.set_index("arch")[name] for table in self._tables if name in scores_of(table)]
        if not parts:
            return pd.Series(dtype=float)
        scores = pd.concat(parts)
        scores = scores.iloc[np.argsort(~np.isfinite(scores.to_numpy()), kind="stable")]
        first: pd.Series[float] = scores[~scores.index.duplicated()]
        return first

    def table(self, archs: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
        """Returns a row per arch in the order given: `arch`, the scores, `error`, `error_kind`."""
        table = pd.DataFrame({"arch": list(archs)})
        for name in columns:
            table[name] = table["arch"].map(self._scores(name)).astype(float)
        undefined = {name: set(table["arch"][~np.isfinite(table[name])]) for name in columns}
        failures = self._failures(undefined)
        told = [failed(failures.get(arch, ())) for arch in archs]
        for column in (ERROR, ERROR_KIND):
            table[column] = pd.array([one.get(column) for one in told], dtype="string")
        return table

    def _failures(self, undefined: Mapping[str, set[str]]) -> dict[str, list[Failure]]:
        """Returns what went wrong by arch, where it left one of the wanted scores undefined."""
        failures: dict[str, list[Failure]] = {}
        for table in self._tables:
            names = [name for name in undefined if name in table]
            for row in table[table["error"].notna()].to_dict("records"):
                arch, error = str(row["arch"]), str(row["error"])
                if not any(arch in undefined[name] for name in names):
                    continue
                others = failures.setdefault(arch, [])
                if not any(error in other.said for other in others):
                    others.append(Failure(error, error_kind_of(cast(Row, row)) or RAISED))
        return failures

    def record(self, **facts: Any) -> None:
        """Writes this process with its versions and hardware into `run.json`; call again to add facts."""
        self._run = {**self._run, **facts}
        write_json(self.folder / FILE_NAME, {**self._info, "runs": [*self._info.get("runs", []), self._run]})


def scores_of(table: pd.DataFrame) -> list[str]:
    """Returns the names of the scores of a chunk."""
    return [str(name) for name in table if name not in ("arch", *MEASURED)]
