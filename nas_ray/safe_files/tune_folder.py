"""What a `Tuner` of Ray leaves in its folder, read as JSON: nothing is unpickled, and Ray is not needed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nas_ray.errors import UsageError, describe, encodable, printable

STATE = "experiment_state-*.json"
"""The files with all trials; a Tuner that was restored begins another, and the last name is the newest."""

MOST_BYTES = 2**30
MOST_CHARACTERS = 10_000
"""Of one text in a row."""
DEEPEST = 8
"""Levels of dicts in a result that become columns."""
CONFIG = "config"
ERROR_FILE = "error.txt"
MOST_OF_ERROR = 2**16
UNREADABLE = "_type"
"""The key of a dict in which Ray hides a pickle in JSON."""

OF_TUNE = frozenset(
    {
        *("trial_id", "experiment_id", "experiment_tag", "date", "timestamp", "pid", "hostname", "node_ip"),
        *(
            "time_this_iter_s",
            "time_total_s",
            "time_since_restore",
            "timesteps_total",
            "timesteps_since_restore",
        ),
        *("episodes_total", "episodes_this_iter", "timesteps_this_iter", "iterations_since_restore"),
        *(
            "done",
            "training_iteration",
            "config",
            "checkpoint_dir_name",
            "logdir",
            "warmup_time",
            "should_checkpoint",
        ),
        *("__duplicate__", "__trial_index__", "checkpoint_path"),
    }
)
"""What Tune adds to a result, or to a table of results."""


def is_tune_folder(folder: Path) -> bool:
    """Returns whether a `Tuner` wrote its experiment into `folder`."""
    return folder.is_dir() and any(folder.glob(STATE))


def read_tune_folder(folder: Path) -> list[dict[str, Any]]:
    """Returns the last result of every trial as `get_dataframe` names it, with `error`, in order of arrival.

    A trial that reported nothing has its config alone.

    Raises:
        UsageError: no such folder, or a file that Ray did not write or that was cut.
    """
    path = max(folder.glob(STATE), default=folder / STATE)
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise ValueError("it is no regular file of at most a gigabyte")
        trials = json.loads(path.read_text(encoding="utf-8"))["trial_data"]
        rows = [_row(json.loads(trial), json.loads(ran), folder) for trial, ran in trials]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} must be what a Tuner of Ray wrote, but cannot be read ({describe(error)}); give the "
            "folder of a whole experiment, or the table of get_dataframe()."
        ) from error
    return sorted(rows, key=lambda row: row.get("timestamp", float("inf")))


def _row(trial: Mapping[str, Any], ran: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    result = {name: value for name, value in (ran.get("last_result") or {}).items() if name != CONFIG}
    row = dict(_flat(result))
    row |= {f"{CONFIG}/{name}": value for name, value in _flat(trial.get(CONFIG) or {})}
    if not isinstance(row.get("timestamp", 0), int | float):
        raise ValueError("a timestamp is no number")
    if trial.get("status") == "ERROR" and not row.get("error"):
        row["error"] = _error(folder, str(trial.get("trial_id")))
    return row


def _flat(values: Mapping[str, Any], deep: int = 0) -> Iterator[tuple[str, Any]]:
    """Yields what can be a cell: dicts as `outer/inner`; no lists, and nothing that Ray pickled."""
    for name, value in values.items():
        shown = printable([name])[0]
        if isinstance(value, dict):
            if UNREADABLE not in value and deep < DEEPEST:
                yield from ((f"{shown}/{inner}", cell) for inner, cell in _flat(value, deep + 1))
        elif isinstance(value, str):
            yield shown, encodable(value[:MOST_CHARACTERS])
        elif (
            value is None
            or isinstance(value, bool | float)
            or (isinstance(value, int) and abs(value) < 2**63)
        ):
            yield shown, value


def _error(folder: Path, trial_id: str) -> str:
    """Returns the last line of what a failed trial raised."""
    for path in folder.glob(f"*/{ERROR_FILE}"):
        if trial_id in path.parent.name and path.is_file():
            with path.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - MOST_OF_ERROR))
                lines = file.read().decode("utf-8", "replace").strip().splitlines()
            return lines[-1].strip()[:MOST_CHARACTERS] if lines else "the trial failed"
    return "the trial failed"
