"""A pool of processes ends with its parent, and by nothing else that reaches it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from nas_ray.process.processes import process_pool

PARENT = """
import os, time
from nas_ray.process.processes import process_pool
with process_pool(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_a_worker_ends_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    _, alive = psutil.wait_procs([worker], timeout=20)
    for process in alive:
        process.kill()
    assert not alive


def test_signals_for_the_parent_do_not_reach_a_worker_and_errors_do_not_wait() -> None:
    began = time.monotonic()
    worker = 0

    def work() -> None:
        nonlocal worker
        with process_pool(1) as pool:
            worker = pool.submit(os.getpid).result()
            for number in (signal.SIGINT, signal.SIGHUP):
                os.kill(worker, number)
            assert pool.submit(os.getpid).result() == worker
            pool.submit(time.sleep, 600)
            raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        work()
    assert time.monotonic() - began < 300
    _, alive = psutil.wait_procs([psutil.Process(worker)] if psutil.pid_exists(worker) else [], timeout=30)
    assert not alive
