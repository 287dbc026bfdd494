"""Limits of this process that Ray would run into in the middle of its start, and then end without a word."""

from __future__ import annotations

import os
import resource

import psutil

from nas_ray.errors import UsageError

FEWEST_FILES = 128
"""Open files without which Ray's own processes do not come up."""
THREADS, THREADS_PER_CORE = 150, 15
"""Threads that Ray's processes and one worker certainly have."""
GIB = 2**30
LEAST_ROOM = 1.5 * GIB
"""Address space that Ray takes in the driver beside its object store: threads, and the code of a worker."""
LEAST_STORE = 100 * 2**20
STORE_SHARE = 0.25
"""Part of the room below a limit of address space that the object store may take; each process maps it."""


def check_limits(cores: int) -> None:
    """Checks the limits of open files, processes and address space.

    Raises:
        UsageError: one of them is too low for Ray with workers on `cores` cores.
    """
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)  # Ray raises the soft limit by itself
    if files != resource.RLIM_INFINITY and files < FEWEST_FILES:
        raise UsageError(
            f"Ray needs at least {FEWEST_FILES} open files, but the limit is {files}; raise it "
            "(ulimit -n 8192)."
        )
    _check_threads(cores)
    room = address_room()
    if room is not None and room < LEAST_ROOM:
        raise UsageError(
            f"Ray needs {LEAST_ROOM / GIB:g} GiB of address space beside what this process has, but "
            f"{max(room, 0) / GIB:.2g} GiB are left below the limit; raise it (ulimit -v unlimited)."
        )


def _check_threads(cores: int) -> None:
    most = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if most == resource.RLIM_INFINITY or os.geteuid() == 0:  # root is not counted
        return
    needed, running = THREADS + THREADS_PER_CORE * cores, _threads_of_user()
    if running + needed > most:
        raise UsageError(
            f"Ray needs about {needed} threads on {cores} cores, but {running} of the {most} that this user "
            "may have are taken; raise the limit (ulimit -u 8192) or lower --num-cpus."
        )


def _threads_of_user() -> int:
    found = (process.info for process in psutil.process_iter(["uids", "num_threads"]))
    return sum(
        info["num_threads"] or 0 for info in found if info["uids"] and info["uids"].real == os.getuid()
    )


def address_room() -> int | None:
    """Returns the bytes of address space that are left to this process; None without a limit."""
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most == resource.RLIM_INFINITY:
        return None
    return most - psutil.Process().memory_info().vms


def object_store_bytes() -> int | None:
    """Returns the size of Ray's object store below a limit of address space; None leaves it to Ray."""
    room = address_room()
    if room is None:
        return None
    wanted = max(LEAST_STORE, int(STORE_SHARE * (room - LEAST_ROOM)))
    return min(wanted, int(0.3 * psutil.virtual_memory().available))
