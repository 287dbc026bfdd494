"""An end for calls that may never return, even where they wait outside Python."""

from __future__ import annotations

import _thread
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator

from nas_ray.errors import UsageError
from nas_ray.terminal.console import say_error

START_S = 300.0
"""Seconds for `ray.init`, whose own limits are some tens of seconds each."""
LOOK_S = 1.0
"""Seconds between two looks at whether there is any use in waiting."""
GRACE_S = 15.0
"""Seconds after an interruption in which a call in Python ends; one outside Python does not."""


def nothing() -> None:
    """Ends nothing: what was begun goes with the process."""


VAIN_S = 2.0
"""The same where it is known that there is no use in waiting."""


@contextlib.contextmanager
def patience(
    seconds: float, sentence: str, end: Callable[[], None], look: Callable[[], str | None] | None = None
) -> Iterator[None]:
    """Ends what is done inside, in the main thread, if it takes longer than `seconds`.

    It is interrupted first. Where that changes nothing, the process says `sentence` and ends.

    Args:
        seconds: for what is done inside.
        sentence: of the error.
        end: called before the process ends.
        look: asked every second; returns why waiting is in vain, which is then the sentence, else None.

    Raises:
        UsageError: it took longer, or there is no use in waiting.
    """
    done, over = threading.Event(), threading.Event()

    def watch() -> None:
        nonlocal sentence
        in_vain = False
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not over.is_set():
            if done.wait(min(left, LOOK_S) if look else left):
                return
            if look and (why := look()):
                sentence, in_vain = why, True
                over.set()
        if done.is_set():
            return
        over.set()
        _thread.interrupt_main()
        if done.wait(min(GRACE_S, VAIN_S) if in_vain else GRACE_S):
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
