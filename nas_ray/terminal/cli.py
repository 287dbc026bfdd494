"""The command line of the search experiments, which ends with an exit code that says what happened."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from nas_ray.errors import UsageError, describe
from nas_ray.process.interrupts import INTERRUPTED, end_as_ctrl_c
from nas_ray.terminal.console import say_error, standard_streams


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
