"""The command line of the search experiments, which ends with an exit code that says what happened."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from rich.console import Console

from nas_ray.arguments import SearchArgs, parse
from nas_ray.errors import UsageError, describe
from nas_ray.interrupts import INTERRUPTED, end_as_ctrl_c


def main(
    args_type: type[SearchArgs],
    searcher: str | Callable[..., Any] = "",
    *,
    name: str,
    description: str | None,
) -> NoReturn:
    """Runs an experiment from the command line and exits.

    Exit codes: 0 done, 1 no evaluation succeeded or the storage was away, 2 bad input, 130 interrupted.

    Args:
        args_type: dataclass of the arguments.
        searcher: name of a searcher, `module:class`, or a class; by default the argument `searcher` says it.
        name: of the experiment, kept in the run folder.
        description: first paragraph of `--help`.
    """
    with reported_errors():
        began = time.monotonic()
        args = parse(args_type, name, description or "")
        errors = Console(stderr=True)
        with errors.status("loading ...") if errors.is_terminal else contextlib.nullcontext():
            from nas_ray.session import run  # torch, Ray and Lightning take seconds
        chosen: str | Callable[..., Any] = searcher or str(getattr(args, "searcher", ""))
        sys.exit(run(name, args, chosen, Console(), began=began))


@contextlib.contextmanager
def reported_errors() -> Iterator[None]:
    """Turns a `UsageError` into one line on standard error and its exit code, and Ctrl-C into 130."""
    end_as_ctrl_c()
    try:
        yield
    except UsageError as error:
        print(f"error: {shown(error)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (OSError, MemoryError) as error:  # such as a full disk, where no command knows better
        print(f"error: {describe(error).rstrip('.')}.", file=sys.stderr)
        sys.exit(UsageError.exit_code)
    except KeyboardInterrupt:  # before a search began, which handles it itself, or in another experiment
        print("\nInterrupted; what is complete in the folder of this run stays there.", file=sys.stderr)
        sys.exit(INTERRUPTED)


def shown(error: UsageError) -> str:
    """Returns the message without what a name from a file could do to a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in str(error))
