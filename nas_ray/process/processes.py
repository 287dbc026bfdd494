"""A pool of processes that ends with its parent, at once, and in no other way."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import resource_tracker
from typing import Any


def nothing() -> None:
    """Prepares nothing."""


@contextlib.contextmanager
def process_pool(
    processes: int, prepare: Callable[..., None] = nothing, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """Gives a pool of new processes; where the work ends with an error, it does not wait for theirs.

    Args:
        processes: how many.
        prepare: called once in each of them; can be pickled, as all that they do.
        arguments: of `prepare`.
    """
    _start_tracker()
    context = multiprocessing.get_context("spawn")  # a fork would copy locks of other threads
    given = (prepare, arguments)
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=given) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _start_tracker() -> None:
    """Starts the process in which Python tracks locks, which a lost terminal would end with a traceback."""
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which it inherits
    try:
        resource_tracker.ensure_running()
    finally:
        signal.signal(signal.SIGHUP, before)


def _start(prepare: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Begins a process of a pool.

    Ctrl-C and a lost terminal reach all processes of a terminal; one that ended in the middle of an answer
    would leave the parent with half of it. A parent that was killed would be waited for for ever.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a parent that ignores it hands that on
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
