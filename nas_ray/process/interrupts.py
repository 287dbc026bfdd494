"""How a process that runs on Ray ends early: Ctrl-C, SIGTERM and SIGHUP are one and the same."""

from __future__ import annotations

import signal
import threading
from typing import Any, NoReturn

INTERRUPTED = 130
"""Exit code of an interrupted process."""

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


_IGNORED: set[signal.Signals] = set()  # by `ignore_stopping`; what others ignore stays ignored


def end_as_ctrl_c() -> None:
    """Makes SIGTERM and SIGHUP raise `KeyboardInterrupt`; call it after Ray has set handlers of its own.

    What is ignored stays so: `nohup` ignores SIGHUP, and a shell SIGINT of what it starts in the background.
    In another thread than the main one, which alone may set handlers, nothing changes.
    """
    for number in STOPPING[1:]:
        _handle(number, _interrupt)
    if signal.SIGINT in _IGNORED:
        _handle(signal.SIGINT, signal.default_int_handler)
    _IGNORED.clear()


def ignore_stopping() -> None:
    """Ignores further signals, so that a second Ctrl-C does not cut the last lines short."""
    for number in STOPPING:
        if _handle(number, signal.SIG_IGN):
            _IGNORED.add(number)


def handle_again() -> None:
    """Puts Python's handlers back into the operating system, where Ray took them out without telling Python.

    `ray.shutdown` gives SIGTERM its default back, which would end the process in its last lines.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in STOPPING:
        known = signal.getsignal(number)
        if known is not None:  # one that Python did not set
            signal.signal(number, known)


def _handle(number: signal.Signals, handler: Any) -> bool:
    """Returns whether `handler` was set: not in another thread, nor where others ignore the signal."""
    if threading.current_thread() is not threading.main_thread():
        return False
    if signal.getsignal(number) is signal.SIG_IGN and number not in _IGNORED:
        return False
    signal.signal(number, handler)
    return True


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
