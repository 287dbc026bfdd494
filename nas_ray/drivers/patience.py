"""An end for calls that may never return, even where they wait outside Python."""

from __future__ import annotations

import _thread
import contextlib
import os
import threading
from collections.abc import Callable, Iterator

from nas_ray.errors import UsageError
from nas_ray.terminal.console import say_error

START_S = 300.0
"""Seconds for `ray.init`, whose own limits are some tens of seconds each."""
GRACE_S = 15.0
"""Seconds after an interruption in which a call in Python ends; one outside Python does not."""


def nothing() -> None:
    """Ends nothing: what was begun goes with the process."""


@contextlib.contextmanager
def patience(seconds: float, sentence: str, end: Callable[[], None]) -> Iterator[None]:
    """Ends what is done inside, in the main thread, if it takes longer than `seconds`.

    It is interrupted first. Where that changes nothing, the process says `sentence` and ends.

    Args:
        seconds: for what is done inside.
        sentence: of the error.
        end: called before the process ends.

    Raises:
        UsageError: it took longer.
    """
    done, over = threading.Event(), threading.Event()

    def watch() -> None:
        if done.wait(seconds):
            return
        over.set()
        _thread.interrupt_main()
        if done.wait(GRACE_S):
            return
        say_error(f"error: {sentence}")
        with contextlib.suppress(Exception):
            end()
        os._exit(UsageError.exit_code)

    threading.Thread(target=watch, name="patience", daemon=True).start()
    try:
        yield
    except KeyboardInterrupt as error:
        if over.is_set():
            raise UsageError(sentence) from error
        raise
    finally:
        done.set()
