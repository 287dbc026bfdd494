"""`run.json` of experiments whose tables can be made again: what is under way, and what each table is of."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nas_ray.runs.folder import FILE_NAME, FORMAT, provenance, read_run
from nas_ray.runs.writing import write_json

EARLIER = "earlier"
"""The name of all tables of a run whose `run.json` does not say of what each table is."""


class Record:
    """`run.json` of a folder that is claimed (`claimed`).

    Its status and settings are those of the process that wrote it last. `tables` says for every table that is
    in the folder which settings it was made with, so that a process that was killed before it wrote its own
    leaves tables and words that belong together.

    Args:
        folder: of the run.
        experiment: its name.
        settings: a dataclass or dict of what was asked for.
        facts: further entries.
    """

    def __init__(self, folder: Path, experiment: str, settings: Any, **facts: Any) -> None:
        self._path = folder / FILE_NAME
        given = dataclasses.asdict(settings) if dataclasses.is_dataclass(settings) else settings  # type: ignore[arg-type]
        self.settings: dict[str, Any] = json.loads(json.dumps(given, default=str))
        self._tables = tables_of(folder)
        self._info = {"format": FORMAT, "experiment": experiment, "status": "running", **facts}
        self._info |= {"settings": self.settings, **provenance()}

    def begin(self) -> None:
        """Says that the run is under way.

        Raises:
            OSError: the folder cannot be written.
        """
        self._write()

    def add(self, **facts: Any) -> None:
        """Adds entries, as `begin` does."""
        self._info |= facts
        self._write()

    def wrote(self, table: str) -> None:
        """Says that `table` is in the folder now, made with these settings."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._tables.pop(EARLIER, None)
        made = {name: self._info.get(name) for name in ("settings", "started", "versions", "commit")}
        self._tables[table] = {**made, "written": now}
        self._write()

    def end(self, status: str) -> None:
        """Says how the run ended; a disk that is full cannot be told."""
        self._info["status"] = status
        with contextlib.suppress(OSError):
            self._write()

    def _write(self) -> None:
        write_json(self._path, {**self._info, "tables": self._tables})


def tables_of(folder: Path) -> dict[str, Any]:
    """Returns what `run.json` of `folder` says of the tables there.

    Raises:
        UsageError: it is damaged or of a newer version.
    """
    if not os.path.lexists(folder / FILE_NAME):
        return {}
    held = read_run(folder)
    tables = held.get("tables")
    if isinstance(tables, dict):
        return dict(tables)
    ended = {name: held[name] for name in ("settings", "started", "versions", "commit") if name in held}
    return {EARLIER: ended} if held.get("status", "finished") == "finished" else {}
