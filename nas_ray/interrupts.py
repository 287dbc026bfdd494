"""How a process that runs on Ray ends early: Ctrl-C, SIGTERM and SIGHUP are one and the same."""

from __future__ import annotations

import signal
import sys
from typing import Any, NoReturn

INTERRUPTED = 130
"""Exit code of an interrupted process."""

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_as_ctrl_c() -> None:
    """Makes SIGTERM and SIGHUP raise `KeyboardInterrupt`; call it after Ray has set handlers of its own."""
    for number in STOPPING[1:]:
        signal.signal(number, _interrupt)


def ignore_stopping() -> None:
    """Ignores further signals, so that a second Ctrl-C does not cut the last lines short."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def stop_ray() -> None:
    """Ends Ray's processes, if Ray was started."""
    if "ray" in sys.modules:
        import ray

        ray.shutdown()


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
