"""How this process was started: what to write for the same command again, and for others like it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nas_ray.process.shell import in_shell

SCRIPTS = {"compare": "compare_searchers", "choose": "choose_score"}
"""Names of scripts that are not those of their experiments."""


def _script(experiment: str) -> str:
    return f"{script_name(experiment)}.py"


@dataclass(frozen=True)
class Started:
    """A command.

    Attributes:
        program: words that start it, such as `python rea.py` or `nas-ray search rea`.
        arguments: words after them.
        kind: what it is called, `script` or `command`.
        called: returns what the command of an experiment is called where it was started like this one.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...]
    kind: str = "script"
    called: Callable[[str], str] = _script


_now: Started | None = None


def started() -> Started:
    """Returns how this process was started: as a script, unless `started_as` says otherwise."""
    if _now is not None:
        return _now
    script = f"./{sys.argv[0]}" if sys.argv[0].startswith("-") else sys.argv[0]
    return Started(("python", script), tuple(sys.argv[1:]))


@contextlib.contextmanager
def started_as(how: Started) -> Iterator[None]:
    """Makes `started` return `how` meanwhile."""
    global _now
    before, _now = _now, how
    try:
        yield
    finally:
        _now = before


def again(*words: str | Path) -> str:
    """Returns this command with `words` after it, quoted for a shell."""
    return " ".join(map(in_shell, (*started().program, *words)))


def script_name(experiment: str) -> str:
    """Returns the name of the script of `experiment`, without its ending."""
    return SCRIPTS.get(experiment, experiment)
