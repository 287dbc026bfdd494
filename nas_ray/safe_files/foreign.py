"""What a folder from elsewhere may not hold: ways out of it, and code of its own."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from nas_ray.errors import UsageError, printable

SNAPSHOTS = "tune"
"""Folder of Ray Tune's own snapshots: pickles that a killed run leaves, and that nothing here reads."""


def check_own_files(folder: Path) -> None:
    """Checks that a run folder which is written again holds files and folders of its own alone.

    Through a link a file elsewhere would be written. Ray Tune's snapshots go first: they are not read.

    Raises:
        UsageError: something in it is a link, a device or a pipe.
    """
    shutil.rmtree(folder / SNAPSHOTS, ignore_errors=True)  # which follows no link
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            kind = _kind(path)
            if kind:
                shown = printable([os.path.relpath(path, folder)])[0]
                raise UsageError(
                    f"The run folder {folder} must hold files of its own alone, but {shown} is {kind}; "
                    "replace it by a copy, or remove it."
                )


def _kind(path: str) -> str:
    """Returns in words what is at `path`, nothing for a file, a folder or what is gone meanwhile."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return ""
    if stat.S_ISLNK(mode):
        return "a link"
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "a device or a pipe"


def check_brings_no_code(stored: Any, folder: Path) -> None:
    """Checks that no `module:name` in the arguments of `run.json` would be imported from the folder itself.

    Raises:
        UsageError: one would, as where the working directory is a run folder from elsewhere.
    """
    home = folder.resolve()
    for module in _modules(stored):
        name, _, inside = module.partition(".")
        spec = PathFinder.find_spec(name, [os.getcwd(), *sys.path])
        # A folder without __init__.py, such as the run folder itself where it is called as a space is, has no
        # code but that of a module inside of it.
        folders = (spec.submodule_search_locations or ()) if spec and (inside or spec.origin) else ()
        origins = [spec.origin, *folders] if spec else []
        if any(origin and Path(origin).resolve().is_relative_to(home) for origin in origins):
            raise UsageError(
                f"The run folder {folder} names the module {name}, which Python would import from that very "
                "folder; a run folder brings no code, so move the module out of it if it is yours."
            )


def _modules(stored: Any) -> set[str]:
    """Returns the names of modules in texts such as `mine:thing` and `proxy=mine.own:thing`."""
    if isinstance(stored, dict):
        return _modules(stored.values())
    if isinstance(stored, str):
        parts = stored.replace("=", ",").split(",")
        modules = [part.rpartition(":")[0].split(":")[-1].strip() for part in parts]
        return {module for module in modules if module.split(".")[0].isidentifier()}
    return set().union(*map(_modules, stored)) if isinstance(stored, Iterable) else set()
