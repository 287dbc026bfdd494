"""What Ray Tune reads and changes of this process while it runs, put back when it has."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

from nas_ray.drivers.ray_compat import LOUD, OF_TUNE

TUNE_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # rows go to the journal, not to three files per trial
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C ends at once; the journal is already complete
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # Tune's own snapshots are not used to resume
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    **OF_TUNE,
}
"""Variables that Tune reads when it is imported or when a run starts; what is set already stays."""
SET_BY_TUNE = "TUNE_RESULT_BUFFER_LENGTH"
"""A variable that Tune sets itself."""

_lock = threading.Lock()
_inside = 0
_before: dict[str, str | None] = {}


@contextlib.contextmanager
def tune_surroundings() -> Iterator[None]:
    """Lets Tune find its settings, and puts them back, and the handlers of signals that it sets.

    Settings can be told to Tune through the environment alone. Of searches in several threads the last to end
    puts them back.
    """
    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            _before.update({name: os.environ.get(name) for name in (*TUNE_SETTINGS, SET_BY_TUNE)})
            os.environ.update({name: os.environ.get(name, value) for name, value in TUNE_SETTINGS.items()})
    try:
        with _kept_handler(), _quiet():
            yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _put_back()


def _put_back() -> None:
    for name, value in _before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leaves out what Tune warns of although all is well: a search has its rows from the journal."""
    loggers = [logging.getLogger(name) for name in LOUD]
    for logger in loggers:
        logger.addFilter(_no_warning)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_no_warning)


def _no_warning(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING


@contextlib.contextmanager
def _kept_handler() -> Iterator[None]:
    """Puts back the handler of SIGUSR1, which Tune sets in the main thread."""
    main = threading.current_thread() is threading.main_thread()
    before: Any = signal.getsignal(signal.SIGUSR1) if main else None
    try:
        yield
    finally:
        if before is not None:  # nor one that Python did not set
            signal.signal(signal.SIGUSR1, before)
