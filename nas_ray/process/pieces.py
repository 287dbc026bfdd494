"""One part of the state of a process, and what a plug-in is told that changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

GENERATOR = "use a generator of its own, such as torch.Generator"
CONVERT = "convert tensors instead"
BACK = "put it back before it returns"


@dataclass(frozen=True)
class Piece:
    """One part of the state.

    Attributes:
        name: as in "must leave {name} alone".
        read: returns its value, which is compared by `==` and holds nothing that lives on.
        write: puts a value back.
        advice: what to do instead where our own scores would change with it; empty where they would not.
        random: whether it is the state of a generator.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]
    advice: str = ""
    random: bool = False
