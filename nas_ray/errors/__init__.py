"""The one exception that means "the user can mend this", and how others are told in a line."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

from nas_ray.rows import OUT_OF_MEMORY, RAISED, Failure
from nas_ray.rows import encodable as encodable

LONGEST = 200
"""Characters of a foreign message that are kept."""
LONGEST_NAME = 60
"""Characters of a foreign name that are kept."""


class UsageError(ValueError):
    """One sentence that says what must hold, what was given and what to do.

    The command line prints it without a traceback and exits with `exit_code`.
    """

    exit_code = 2


class EndsProcess(RuntimeError):
    """Foreign code raised what no `except Exception` sees, such as `SystemExit`; says what."""


def printable(names: Iterable[object]) -> list[str]:
    """Returns names from a file as they can be shown: in one line, and not too long."""
    shown = (ascii(str(name))[1:-1] for name in names)
    return [name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "..." for name in shown]


def describe(error: BaseException) -> str:
    """Returns one line: the kind of error and the first line of its message, cut to a readable length.

    A message that is the traceback of another process is told by its last line.
    """
    if _names_memory(error):
        return "out of memory"
    if isinstance(error, EndsProcess):
        return str(error)
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    lines = encodable(_said(error)).strip().splitlines()  # rows are made of it
    if not lines:
        return type(error).__name__
    if lines[0].startswith("Traceback ("):  # of another process, whose error is the last line
        return _cut(lines[-1].strip())
    return f"{type(error).__name__}: {_cut(lines[0])}"


def failure(error: BaseException, about: str = "") -> Failure:
    """Returns what an evaluation makes of `error`: `describe(error)`, behind `about`, and its kind."""
    return Failure(f"{about}{describe(error)}", OUT_OF_MEMORY if is_out_of_memory(error) else RAISED)


SAYINGS = ("out of memory", "not enough memory", "can't allocate memory")
"""What torch says in a plain `RuntimeError` where memory does not suffice."""


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether `error`, or what it was raised from or after, says that memory does not suffice."""
    chain: list[BaseException] = []
    before: BaseException | None = error
    while before is not None and not any(before is other for other in chain):
        chain.append(before)
        before = before.__cause__ or (None if before.__suppress_context__ else before.__context__)
    return any(map(_says_memory, chain))


def _said(error: BaseException) -> str:
    """Returns the message of an error; none where it raises itself, as foreign ones may."""
    try:
        return str(error)
    except Exception:
        return ""


def _says_memory(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    plain = isinstance(error, RuntimeError) and any(said in _said(error).lower() for said in SAYINGS)
    return plain or _names_memory(error)


def _names_memory(error: BaseException) -> bool:
    """Returns whether the type of `error` says so; those of torch and of Ray have one name."""
    return type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[:LONGEST] + " ..."


def unknown_name(kind: str, name: str, known: list[str], plugin: bool = False) -> str:
    """Returns the sentence for an unknown name: the nearest match, all names, and the plug-in form."""
    nearest = difflib.get_close_matches(name.lower(), {k.lower(): k for k in known}, n=1, cutoff=0.5)
    by_lower = {k.lower(): k for k in known}
    hint = f" Did you mean {by_lower[nearest[0]]!r}?" if nearest else ""
    own = ", or your own as module:name" if plugin else ""
    return f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(known)) or 'none'}{own}."
