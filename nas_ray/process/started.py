"""How this process was started: what to write for the same command again, and for others like it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nas_ray.process.shell import in_shell, place_word

SCRIPTS = {"compare": "compare_searchers", "choose": "choose_score"}
"""Names of scripts that are not those of their experiments."""

SEARCHES = ("rea", "random_search", "skip_rea", "reinforce", "pnas")
"""Experiments whose command is one of `search`."""


def _script(experiment: str) -> str:
    return f"{script_name(experiment)}.py"


def _words(experiment: str) -> tuple[str, ...]:
    """Returns what starts the script of `experiment` beside this one, or where there is none the command."""
    script = Path(sys.argv[0]).with_name(_script(experiment))
    if script.is_file():
        return ("python", str(script))
    if experiment in SEARCHES:
        return ("nas-ray", "search", experiment)
    return ("nas-ray", script_name(experiment).replace("_", "-"))


@dataclass(frozen=True)
class Started:
    """A command.

    Attributes:
        program: words that start it, such as `python rea.py` or `nas-ray search rea`.
        arguments: words after them.
        kind: what it is called, `script` or `command`.
        called: returns what the command of an experiment is called where it was started like this one.
        words: returns the words that start the command of an experiment there.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...]
    kind: str = "script"
    called: Callable[[str], str] = _script
    words: Callable[[str], tuple[str, ...]] = _words


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


def command_for(experiment: str, *words: str | Path) -> str:
    """Returns the command of `experiment` with `words` after it, quoted for a shell; paths are places."""
    quoted = (place_word(word) if isinstance(word, Path) else in_shell(word) for word in words)
    return " ".join([*map(in_shell, started().words(experiment)), *quoted])


def script_name(experiment: str) -> str:
    """Returns the name of the script of `experiment`, without its ending."""
    return SCRIPTS.get(experiment, experiment)
