"""What a hostile case is, and the list that the modules beside this one fill."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Case:
    """One file, name or folder that must be refused.

    Attributes:
        read: what a user's command does with it.
        says: what the sentence must name.
    """

    read: Callable[[], Any]
    says: str


CASES: dict[str, Callable[[Path], Case]] = {}
"""Title -> what makes the case in an empty folder."""


def case(title: str) -> Callable[[Callable[[Path], Case]], Callable[[Path], Case]]:
    """Adds a case to the list."""

    def add(make: Callable[[Path], Case]) -> Callable[[Path], Case]:
        assert title not in CASES
        CASES[title] = make
        return make

    return add


CANARY = "code-was-run"
"""The file that a pickle makes if it is loaded."""


class Runs:
    """Makes the canary when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.folder.resolve().parent / CANARY}",)


def hostile_pickle(folder: Path, protocol: int = 2) -> bytes:
    """Returns a pickle that makes the canary."""
    return pickle.dumps(Runs(folder), protocol=protocol)


GARBAGE = bytes(range(256)) * 8
