"""What a worker that waits for its first trial imports meanwhile: Ray imports this module as it starts one.

The imports happen in a thread, so that the worker is ready at once, and are of other packages alone: none of
them imports this one, so two threads cannot wait for each other.
"""

from __future__ import annotations

import contextlib
import os
import threading
from importlib import import_module

PACKAGES = ("torch", "ray.tune")
"""What every trial of a search needs, most of the time that a worker takes to start."""
PAUSE_S = 0.3
"""How long a worker must have had nothing to do before it begins."""

busy = threading.Event()
"""Set by who gives a worker something else to do."""


def _import() -> None:
    if busy.wait(PAUSE_S):
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the cores of a trial, which Ray says too late for these
    for package in PACKAGES:
        with contextlib.suppress(Exception):  # told by the trial that needs it
            import_module(package)


imports = threading.Thread(target=_import, name="imports", daemon=True)
imports.start()
