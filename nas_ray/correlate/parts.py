"""The folder of a scored set: parts, each with the journal of some proxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nas_ray.errors import UsageError
from nas_ray.proxies import Proxy
from nas_ray.proxies.identity import columns_of, identity
from nas_ray.rows import ERROR, ERROR_KIND, Failure, error_kind_of, failed
from nas_ray.runs.folder import FILE_NAME as RUN_FILE
from nas_ray.runs.folder import FORMAT, read_run, write_json
from nas_ray.runs.journal import FILE_NAME as JOURNAL
from nas_ray.runs.journal import read_journal, rows_of
from nas_ray.safe_files.stored_numbers import shown


@dataclass(frozen=True)
class Part:
    """Rows of some archs by some proxies.

    Attributes:
        folder: where they are.
        proxies: what computed each score (`identity`), by name.
        rows: one per finished trial.
    """

    folder: Path
    proxies: dict[str, str]
    rows: list[dict[str, Any]]

    def holds(self, proxies: Mapping[str, Proxy]) -> list[str]:
        """Returns the names of those `proxies` whose scores these are."""
        return [name for name, proxy in proxies.items() if self.proxies.get(name) == identity(name, proxy)]

    def fits(self, proxies: Mapping[str, Proxy]) -> bool:
        """Returns whether these are rows of exactly `proxies`."""
        return set(self.proxies) == set(proxies) == set(self.holds(proxies))

    def scored(self, name: str) -> set[str]:
        """Returns the archs whose row has a score by `name`, NaN included; a lost worker leaves none."""
        return {row["arch"] for row in self.rows if columns_of(name, row)}


def read_parts(folder: Path, same: Mapping[str, object]) -> list[Part]:
    """Returns the parts of `folder` in the order in which they were made.

    Raises:
        UsageError: a part was made with other settings than `same`, or is damaged.
    """
    return [_read_part(path.parent, same) for path in sorted(folder.glob(f"*/{RUN_FILE}"))]


def _read_part(folder: Path, same: Mapping[str, object]) -> Part:
    try:
        info = read_run(folder)
    except UsageError as error:
        raise UsageError(f"{error} Remove {folder} to score its archs again.") from error
    different = [name for name, value in same.items() if info.get(name) != value]
    if different:
        name = different[0]
        raise UsageError(
            f"The folder {folder} holds scores with {name.replace('_', ' ')} {info.get(name)}, but now it is "
            f"{same[name]}; choose another --out."
        )
    proxies = info.get("proxies")
    if not isinstance(proxies, dict) or not all(isinstance(value, str) for value in proxies.values()):
        raise UsageError(
            f"{folder / RUN_FILE} must name the proxies of this part; remove {folder} to score its archs "
            "again."
        )
    rows = rows_of(read_journal(folder / JOURNAL)) if (folder / JOURNAL).exists() else []
    for row in rows:
        columns = [column for name in proxies for column in columns_of(name, row)]
        texts = [column for column in columns if isinstance(row[column], (str, bool))]
        if texts or not isinstance(row.get("arch"), str):
            wrong = texts[0] if texts else "arch"
            raise UsageError(
                f"Every row of {folder / JOURNAL} must have an arch and numbers as scores, but one does not; "
                f"remove {folder} to score its archs again, or correct {wrong} {shown(row.get(wrong))} of "
                f"{shown(row.get('arch'))}."
            )
    return Part(folder, proxies, rows)


def new_part(folder: Path, proxies: Mapping[str, Proxy], same: Mapping[str, object]) -> Part:
    """Returns an empty part in a new subfolder."""
    numbers = [int(path.name) for path in folder.glob("[0-9]*") if path.name.isdigit()]
    part = folder / f"{max(numbers, default=-1) + 1:03d}"
    part.mkdir(parents=True)
    identities = {name: identity(name, proxy) for name, proxy in proxies.items()}
    write_json(part / RUN_FILE, {"format": FORMAT, "proxies": identities, **same})
    return Part(part, identities, [])


def join_parts(parts: Sequence[Part], archs: Sequence[str], proxies: Mapping[str, Proxy]) -> pd.DataFrame:
    """Returns the scores by `proxies` of all parts, joined on `arch`, in the order of `archs`.

    `seconds` is the sum of all parts, and `error` what they said about these proxies, with `error_kind`.
    """
    rows: dict[str, dict[str, Any]] = {arch: {"arch": arch} for arch in archs}
    said: dict[str, dict[Path, Failure | None]] = {arch: {} for arch in archs}
    for part in parts:
        names = part.holds(proxies)
        for row in part.rows if names else []:
            arch = row["arch"]
            if arch not in rows:
                continue
            columns = [column for name in names for column in columns_of(name, row)]
            timed = [f"{name}_seconds" for name in names if f"{name}_seconds" in row]
            rows[arch].update({column: row[column] for column in (*columns, *timed)})
            kind = error_kind_of(row)
            said[arch][part.folder] = None if kind is None else Failure(str(row[ERROR]), kind)
    for arch, row in rows.items():
        row["seconds"] = sum(row[name] for name in row if name.endswith("_seconds"))
        row |= {ERROR_KIND: None, **failed(list(filter(None, said[arch].values())))}
    return pd.DataFrame(list(rows.values()))
