"""The command line of the search experiments, which ends with an exit code that says what happened."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from nas_ray.errors import UsageError, describe
from nas_ray.process.interrupts import INTERRUPTED, end_as_ctrl_c
from nas_ray.search.arguments import SearchArgs, parse
from nas_ray.terminal.console import error_console, output, say_error, standard_streams


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
        errors = error_console()
        with errors.status("loading ...") if errors.is_terminal else contextlib.nullcontext():
            from nas_ray.search.session import run  # torch, Ray and Lightning take seconds
        chosen: str | Callable[..., Any] = searcher or str(getattr(args, "searcher", ""))
        sys.exit(run(name, args, chosen, output(), began=began))


@contextlib.contextmanager
def reported_errors() -> Iterator[None]:
    """Turns a `UsageError` into one line on standard error and its exit code, and Ctrl-C into 130.

    Where standard output or standard error is closed, full or a closed pipe, nothing else is lost.
    """
    end_as_ctrl_c()
    with standard_streams():
        try:
            yield
        except UsageError as error:
            say_error(f"error: {error}")
            sys.exit(error.exit_code)
        except (OSError, MemoryError) as error:  # such as a full disk, where no command knows better
            say_error(f"error: {describe(error).rstrip('.')}.")
            sys.exit(UsageError.exit_code)
        except KeyboardInterrupt:  # before a search began, which handles it itself, or in another experiment
            say_error("\nInterrupted; what is complete in the folder of this run stays there.")
            sys.exit(INTERRUPTED)
