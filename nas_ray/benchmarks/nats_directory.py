"""The directory of the official NATS-Bench files: where it is, and whether it is the right one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nas_ray.errors import UsageError
from nas_ray.safe_files.pickles import safe_load
from nas_ray.spaces.nats_sss import NatsSss
from nas_ray.spaces.nats_tss import NatsTss

FOLDER = "NATS-tss-v1_0-3ffb9-simple"
"""Name of the published directory of the topology space."""

FOLDERS: dict[type[NatsTss] | type[NatsSss], str] = {NatsTss: FOLDER, NatsSss: "NATS-sss-v1_0-50262-simple"}
"""Name of the published directory of each space."""

NatsSpace = NatsTss | NatsSss
"""A space with published files. Its `schedules` are trained separately: none is a point of a longer one."""

META = "meta.pickle.pbz2"
"""Name of the file that lists the archs."""

_ARCHIVE = ".pickle.pbz2"


def default_directory(folder: str = FOLDER) -> Path:
    """Returns where `nats_bench` keeps the directory: under `TORCH_HOME`, else under `~/.torch`."""
    return Path(os.environ.get("TORCH_HOME") or os.path.expanduser("~/.torch")) / folder


def find_archives(
    directory: Path, *, allow_missing: bool = False, allow: str = "pass allow_missing=True from Python"
) -> tuple[NatsSpace, list[int]]:
    """Returns the space of an official directory and the sorted indices of its archives, after checking it.

    Args:
        directory: the unpacked directory.
        allow_missing: accept one with some of the archives.
        allow: for an error message, how the caller's user asks for `allow_missing`.

    Raises:
        UsageError: no such directory, a damaged or foreign one, or one with archives missing.
    """
    _check_place(directory)
    try:
        files = os.listdir(directory)
    except OSError as error:
        raise UsageError(
            f"The official NATS-Bench files must be a readable directory such as {FOLDER}, got {directory} "
            f"({error.strerror}); unpack the published archive and name its folder."
        ) from error
    space = space_of(directory)
    size = len(space)
    names = (re.fullmatch(r"(\d{6})\.pickle\.pbz2", file) for file in files)
    found = sorted(index for index in (int(name[1]) for name in names if name) if index < size)
    if not found or (len(found) < size and not allow_missing):
        way_out = "" if allow_missing else f", or {allow}"
        raise UsageError(
            f"The directory must hold the archives of all {size} archs, got {directory}, where "
            f"{size - len(found)} are missing; unpack {FOLDERS[type(space)]} completely{way_out}."
        )
    return space, found


def space_of(directory: Path) -> NatsSpace:
    """Returns the space whose archs the meta file of an official directory lists.

    Raises:
        UsageError: it is damaged, or lists other archs.
    """
    meta = safe_load(directory / META, what="NATS-Bench meta file", compressed=True)
    listed = meta.get("meta_archs") if isinstance(meta, dict) else None
    archs = tuple(listed) if isinstance(listed, list | tuple) else ()
    archs = archs if all(isinstance(arch, str) for arch in archs) else ()
    space: NatsSpace = NatsSss() if archs and ":" in archs[0] else NatsTss()
    if archs != space.archs:
        raise UsageError(
            f"The meta file must list the {len(space)} archs of {space.name.upper()} in their published "
            f"order, and that in {directory} does not; unpack {FOLDERS[type(space)]} again."
        )
    return space


def official_directories(path: Path) -> list[Path]:
    """Returns the official directories that `path` may mean, which is none itself: around it or below it."""
    if os.path.isfile(path):  # os.path: whatever text was given, it says no
        inside = path.name.lower().endswith(_ARCHIVE) and (path.parent / META).is_file()
        return [path.parent] if inside else []
    if not os.path.isdir(path):
        return []
    return sorted(meta.parent for depth in ("*", "*/*") for meta in path.glob(f"{depth}/{META}"))


def _check_place(directory: Path) -> None:
    """Checks that an official directory is named itself.

    Raises:
        UsageError: one of its files is named, or a directory that it lies in.
    """
    if os.path.exists(directory / META) or not (found := official_directories(directory)):
        return
    what = "a file of one" if os.path.isfile(directory) else f"which holds {len(found)} of them"
    raise UsageError(
        f"The official NATS-Bench files must be named by their own directory, where {META} is, got "
        f"{directory}, {what}; give {' or '.join(map(str, found[:3]))}."
    )
