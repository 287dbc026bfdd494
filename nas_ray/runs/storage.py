"""Places of run folders: a folder of this machine, or a URI such as `s3://bucket/runs/rea-0`."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nas_ray.errors import UsageError, describe

WRITTEN_WHOLE = ("s3", "gcs", "abfs")
"""Stores that show an object when it is complete; elsewhere a file is written beside its place and moved."""
NOT_KEPT = ("tune", "checkpoints")
"""Folders of a run that stay on the machine: they are large, and a run goes on without them."""
PART = ".part"
ONE_REQUEST = "allow_delayed_open=true"
"""Lets S3 take a small file in one request instead of three."""


def is_uri(place: str | Path) -> bool:
    """Returns whether `place` names a storage and no folder."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", str(place)) is not None


class Storage:
    """The folder at `uri`, whose files are read and written whole.

    Raises:
        UsageError: pyarrow knows no such storage, it cannot be reached, or the URI holds a password.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        parts = urlsplit(self.uri)
        if parts.password:
            raise UsageError(
                f"A URI of a run must hold no password, as run.json keeps it, but that of {parts.hostname} "
                "does; give it in the variables of the environment that the storage reads."
            )
        if not f"{parts.netloc}{parts.path}".strip("/"):
            raise UsageError(
                f"The URI of a run must name a folder, as s3://bucket/runs/rea-0 does, got {uri}."
            )
        try:
            self._system, path = _opened(self.uri)
        except storage_errors() as error:
            raise UsageError(
                f"The place of a run must be a folder or a URI of pyarrow (s3://, gs://, file://) that can "
                f"be reached, got {self.uri}: {describe(error)}"
            ) from error
        self._path = path.rstrip("/")

    def names(self) -> list[str]:
        """Returns the names of all files, relative to the folder, but for hidden ones."""
        from pyarrow.fs import FileSelector, FileType

        selector = FileSelector(self._path, recursive=True, allow_not_found=True)
        found = [info.path for info in self._system.get_file_info(selector) if info.type == FileType.File]
        names = [path[len(self._path) + 1 :] for path in found]
        return sorted(name for name in names if not _hidden(name))

    def read(self, name: str) -> bytes | None:
        """Returns the content of a file; None if there is none."""
        try:
            with self._system.open_input_file(self._at(name)) as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Writes a file; whoever reads it sees the old content or the new one."""
        whole = self._system.type_name in WRITTEN_WHOLE
        target = self._at(name) if whole else self._at(name) + PART
        if not whole:
            self._system.create_dir(os.path.dirname(target), recursive=True)
        with self._system.open_output_stream(target) as file:
            file.write(content)
        if not whole:
            self._system.move(target, self._at(name))

    def delete(self, name: str) -> None:
        """Removes a file, if it is there."""
        try:
            self._system.delete_file(self._at(name))
        except FileNotFoundError:
            return

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"


def _opened(uri: str) -> tuple[Any, str]:
    """Returns pyarrow's file system and the path of `uri`."""
    from pyarrow import ArrowInvalid
    from pyarrow.fs import FileSystem

    if uri.startswith("s3:"):
        with contextlib.suppress(ArrowInvalid):  # an older pyarrow does not know the option
            return FileSystem.from_uri(f"{uri}{'&' if '?' in uri else '?'}{ONE_REQUEST}")  # type: ignore[no-any-return]
    return FileSystem.from_uri(uri)  # type: ignore[no-any-return]


def storage_errors() -> tuple[type[Exception], ...]:
    """Returns what a storage raises that is away, refuses, or is no storage."""
    from pyarrow import ArrowException

    return (OSError, ArrowException)


def working_folder(uri: str) -> Path:
    """Returns the folder of this machine in which the run at `uri` is made before it reaches the storage.

    It is in `XDG_CACHE_HOME`, by default `~/.cache`.
    """
    uri = uri.rstrip("/")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    name = re.sub(r"[^A-Za-z0-9]+", "-", uri)[-48:].strip("-")
    return cache.absolute() / "nas_ray" / "runs" / f"{name}-{hashlib.sha256(uri.encode()).hexdigest()[:12]}"


def files_of(folder: Path) -> dict[str, os.stat_result]:
    """Returns the files of a working folder that belong on the storage, by their names there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if _hidden(name) or name.split("/")[0] in NOT_KEPT or not path.is_file():
            continue
        try:
            found[name] = path.stat()
        except FileNotFoundError:  # renamed meanwhile
            continue
    return found


def fetch(storage: Storage, folder: Path) -> None:
    """Brings `folder` to the state of the run on the storage, and loses nothing that is in either.

    Journals only grow. Where those of `folder` go on from the storage's (a run that could not be delivered),
    the folder stays as it is. If they are something else, the folder is kept under another name.

    Raises:
        UsageError: the storage cannot be read, or there is no run at either place.
    """
    try:
        remote = {name: storage.read(name) or b"" for name in storage.names()}
        if not remote and not files_of(folder):
            raise UsageError(f"A run is needed at {storage.uri}, and there is none.")
        local = {name: (folder / name).read_bytes() for name in files_of(folder)}
        if local and _goes_on(local, remote):
            return
        if local and not _goes_on(remote, local):
            folder.rename(folder.with_name(f"{folder.name}-{time.strftime('%Y%m%d-%H%M%S')}"))
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in remote.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    except storage_errors() as error:
        raise unreachable(storage.uri, error) from error


def unreachable(uri: str, error: Exception) -> UsageError:
    """Returns the sentence about a storage that is needed now."""
    return UsageError(f"The storage of {uri} must be reachable, but: {describe(error)}; try again later.")


def _goes_on(longer: dict[str, bytes], shorter: dict[str, bytes]) -> bool:
    """Returns whether every journal of `shorter` is the beginning of that in `longer`."""
    journals = [name for name in shorter if name.endswith(".jsonl")]
    return all(longer.get(name, b"").startswith(shorter[name]) for name in journals)


def _hidden(name: str) -> bool:
    """Returns whether a file stays where it is: hidden, or with a key that as a path would lead elsewhere."""
    return any(part.startswith(".") or not part for part in name.split("/")) or name.endswith(PART)
