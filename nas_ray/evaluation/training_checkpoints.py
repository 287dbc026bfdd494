"""Where unfinished trainings are kept, so that a trial goes on: files, or what its driver writes."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any, Protocol

import torch

from nas_ray.errors import UsageError, printable
from nas_ray.runs.folder import write_atomically
from nas_ray.safe_files.torch_files import load_plain


class TrainingStore(Protocol):
    """Takes the state of a training after each epoch, and gives it back to one that begins."""

    def save(self, arch: str, state: dict[str, Any]) -> None:
        """Takes the state of `arch`."""

    def load(self, arch: str) -> dict[str, Any] | None:
        """Returns the state from which `arch` goes on; None where it begins."""

    def remove(self, arch: str) -> None:
        """Forgets the state of `arch`."""


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


class LastState:
    """The last state of the training under way, which the driver writes and reads where it likes.

    Args:
        identity: what a training must have in common with a file to go on from it.
    """

    FILE_NAME = "training.pt"

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self._state: dict[str, Any] | None = None

    def save(self, arch: str, state: dict[str, Any]) -> None:
        """Takes the state of `arch`, whose tensors are those of the module: `write` before it trains on."""
        self._state = {"arch": arch, "identity": self.identity, **state}

    def load(self, arch: str) -> dict[str, Any] | None:
        """Returns the state of `arch`, None where it begins."""
        return self._state if self._state is not None and self._state["arch"] == arch else None

    def remove(self, arch: str) -> None:
        """Forgets the state."""
        self._state = None

    def write(self, folder: Path) -> None:
        """Writes the state, of which there may be none yet."""
        torch.save(self._state, folder / self.FILE_NAME)

    def read(self, folder: Path, arch: str) -> None:
        """Takes the state that `write` left, for a training of `arch`.

        Raises:
            UsageError: a file that cannot be read, or is of another training.
        """
        path = folder / self.FILE_NAME
        try:
            state = load_plain(path)
        except ValueError as error:
            raise UsageError(
                f"The checkpoint must hold the {self.FILE_NAME} of a training, but cannot be read: {error}; "
                "take another one, or begin anew."
            ) from error
        if state is not None:
            self._check(state, arch)
        self._state = state

    def _check(self, state: Any, arch: str) -> None:
        whole = isinstance(state, dict) and {"arch", "identity", "row", "states"} <= set(state)
        if not whole or state["arch"] != arch:
            of = printable([state["arch"]])[0] if whole else "no training"
            raise UsageError(
                f"A training goes on from a checkpoint of its own arch {arch}, and this one is of {of}; "
                "leave out schedulers that copy checkpoints, such as PopulationBasedTraining."
            )
        if state["identity"] != self.identity:
            raise UsageError(
                f"A training of {arch} goes on from a checkpoint with the same recipe, seed and data, and "
                "this one is of others; begin anew, or give what it was made with."
            )
