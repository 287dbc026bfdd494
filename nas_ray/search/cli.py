"""The command line of the searches, which ends with an exit code that says what happened."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from nas_ray.search.arguments import SearchArgs, parse
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.console import error_console, output


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
            from nas_ray.search.session import run
        chosen: str | Callable[..., Any] = searcher or str(getattr(args, "searcher", ""))
        sys.exit(run(name, args, chosen, output(), began=began))
