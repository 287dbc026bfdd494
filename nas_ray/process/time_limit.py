"""A limit on the time of one trial, which also ends what hangs outside Python."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from types import FrameType

GRACE = 0.5
"""Share of the limit that is waited for code outside Python before the process ends."""
LEAST_GRACE_S = 5.0


_outlives: ContextVar[bool] = ContextVar("outlives", default=False)


class TimedOut(BaseException):
    """The time of a trial is over; no `Exception`, so that nothing on the way takes it for a failed proxy."""


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raises `TimedOut` in the body after `seconds`, at most `LONGEST_S`; None is no limit.

    Python hears of the signal between two of its own instructions. A body that stays in foreign code for half
    as long again takes its process with it, which Ray reports as a worker that died; not inside
    `process_outlives`. Outside the main thread only this second limit exists.
    """
    if seconds is None:
        yield
        return
    seconds = min(seconds, LONGEST_S)  # what timers can take, also where archs of a chunk share a limit

    def over(number: int, frame: FrameType | None) -> None:
        raise TimedOut(f"timed out after {seconds:g} s")

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, over) if main else None
    with open(os.devnull, "w") as nowhere:
        if last := not _outlives.get():
            grace = max(LEAST_GRACE_S, GRACE * seconds)
            faulthandler.dump_traceback_later(seconds + grace, exit=True, file=nowhere)
        try:
            if main:
                signal.setitimer(signal.ITIMER_REAL, seconds)
            yield
        finally:
            if main:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
            if last:
                faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def process_outlives() -> Iterator[None]:
    """Lets limits in the body end nothing but the body: this process is more than a worker.

    What hangs in foreign code is then waited for.
    """
    token = _outlives.set(True)
    try:
        yield
    finally:
        _outlives.reset(token)


LONGEST_S = 10**9
"""Seconds that timers of operating system and Python can take (some 31 years)."""
