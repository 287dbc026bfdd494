from __future__ import annotations

import subprocess
import sys
import time

import pytest

from nas_ray.drivers.patience import nothing, patience
from nas_ray.errors import UsageError

STUCK = """
import ctypes
from nas_ray.drivers import patience
patience.GRACE_S = 0.1
with patience.patience(0.1, "It hangs.", lambda: print("ended", flush=True)):
    libc = ctypes.CDLL(None)
    while True:
        libc.pause()  # no handler of Python runs before the call returns
"""


def test_what_returns_in_time_is_left_alone() -> None:
    with patience(0.05, "no", nothing):
        pass
    time.sleep(0.1)  # and is not interrupted later
    with pytest.raises(KeyboardInterrupt), patience(5, "no", nothing):
        raise KeyboardInterrupt


def hang() -> None:
    with patience(0.1, "It hangs.", nothing):
        while True:
            time.sleep(0.01)


def test_what_waits_in_python_is_interrupted() -> None:
    began = time.monotonic()
    with pytest.raises(UsageError, match=r"^It hangs\.$"):
        hang()
    assert time.monotonic() - began < 10


def test_what_waits_elsewhere_ends_with_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (2, "ended\n", "error: It hangs.\n")
