"""The last line of a command: what to do with what it made, ready to copy."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from nas_ray.terminal.console import say

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def say_next(console: Console, *commands: str) -> None:
    """Prints the commands that are of most use now, as the last line of a command.

    Args:
        console: where the result went.
        commands: the first is the most useful; as `command_for` writes them.
    """
    if commands:
        say(console, f"next: {'   or   '.join(commands)}")


def options_of(args: DataclassInstance, *names: str) -> list[str | Path]:
    """Returns those of the arguments `names` that its user changed, as words of another command.

    Args:
        args: of a command; one that has no such argument passes none on.
        names: such as `images`.
    """
    words: list[str | Path] = []
    for field in dataclasses.fields(args):
        value: Any = getattr(args, field.name)
        if field.name in names and value != field.default:
            listed = value if isinstance(value, tuple) else (value,)
            words += [
                f"--{field.name.replace('_', '-')}",
                *(x if isinstance(x, Path) else str(x) for x in listed),
            ]
    return words
