"""Where unfinished trainings are kept, one file per arch, so that a killed trial goes on."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import torch

from nas_ray.runs.folder import write_atomically
from nas_ray.safe_files.torch_files import load_plain


class TrainingCheckpoints:
    """Files of unfinished trainings in a folder, which on a cluster every node must see.

    Args:
        folder: where they are; made when the first is written.
        identity: what a training must have in common with a file to go on from it: recipe, seeds, data.
        earlier: what files of an earlier version say in its place.
    """

    def __init__(self, folder: Path, identity: str, earlier: str | None = None) -> None:
        self._folder = folder
        self._identity = identity
        self._earlier = earlier

    def save(self, arch: str, state: dict[str, Any]) -> None:
        """Writes the state of `arch` at once or not at all; a disk that is full only costs the checkpoint."""
        path = self._path(arch)
        content = {"arch": arch, "identity": self._identity, **state}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, lambda temporary: torch.save(content, temporary))
        except (OSError, RuntimeError):  # torch raises the latter where a file cannot be written
            self.remove(arch)

    def load(self, arch: str) -> dict[str, Any] | None:
        """Returns the state of `arch`; None where there is none, a damaged one or that of other settings."""
        try:
            state = load_plain(self._path(arch))
        except ValueError:  # none, or a damaged one: the training begins anew
            return None
        if not isinstance(state, dict) or state.get("arch") != arch or "identity" not in state:
            return None
        return state if state["identity"] in (self._identity, self._earlier) else None

    def remove(self, arch: str) -> None:
        """Removes the file of `arch`, if there is one."""
        with contextlib.suppress(OSError):
            self._path(arch).unlink()

    def _path(self, arch: str) -> Path:
        return self._folder / f"{hashlib.sha256(arch.encode()).hexdigest()[:24]}.pt"
