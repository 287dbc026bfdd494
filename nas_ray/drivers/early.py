"""Ray starts while a command is still being imported and prepared."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module

from nas_ray.drivers.local_ray import await_worker, stop_ray
from nas_ray.drivers.machine import certainly_no_gpus, local_gpus
from nas_ray.drivers.plan import RAY, Plan
from nas_ray.drivers.resources import Request, cluster_address, imported_ray, make_plan, start_ray
from nas_ray.errors import UsageError
from nas_ray.process.inherited import PICTURES, PLACEMENT
from nas_ray.process.interrupts import end_as_ctrl_c
from nas_ray.terminal.ranges import check_ranges, local_cores

_started: tuple[Request, Plan] | None = None


def start_early(request: Request, modules: Sequence[str], *, verbose: bool = False) -> None:
    """Starts Ray for this machine alone while another thread imports `modules`, and returns after both.

    Nothing happens where torch is there already, so that there is nothing to wait for, where the request
    asks for something else, or for what this machine has not, or where GPUs must be counted first.

    Args:
        request: what `start_ray` will be asked for.
        modules: what this process needs next.
        verbose: show Ray's own messages.

    Raises:
        UsageError: Ray cannot be imported.
    """
    global _started
    if "torch" in sys.modules or not _alone(request):
        return
    imported_ray()  # first, since two threads that import the same wait for each other
    others = threading.Thread(target=_import, args=(modules,), name="imports", daemon=True)
    others.start()
    with contextlib.suppress(UsageError):  # the start is tried again, and told, when it is needed
        _started = request, start_ray(request, verbose=verbose, gpus=0, wait=False, warm=True)
    end_as_ctrl_c()  # Ray's own handlers would end the process at once
    others.join()


def started_early(request: Request) -> Plan | None:
    """Returns the plan of the Ray that `start_early` started, once its first worker is up; None without one.

    A Ray that is not what `request` needs is ended.

    Raises:
        UsageError: no worker comes up; Ray is ended.
    """
    global _started
    if _started is None:
        return None
    (asked, plan), _started = _started, None
    if not imported_ray().is_initialized():  # somebody ended it
        return None
    if asked != request or local_gpus():
        stop_ray()
        return None
    try:
        await_worker()
    except BaseException:
        stop_ray()
        raise
    return plan


def _alone(request: Request) -> bool:
    """Returns whether the request is certainly for this machine, for what it has, and without GPUs."""
    if request.driver != RAY or not certainly_no_gpus():
        return False
    if any(PLACEMENT.fullmatch(name) or PICTURES.fullmatch(name) for name in os.environ):
        return False  # imports hide these for a moment, and Ray's processes inherit the environment
    if threading.current_thread() is not threading.main_thread():
        return False
    try:
        check_ranges(request)
        make_plan(request, local_cores(), 0, "this machine")
        return cluster_address(request) is None
    except UsageError:  # told after what is checked before it
        return False


def _import(modules: Sequence[str]) -> None:
    with contextlib.suppress(Exception):  # told by who needs them
        for name in modules:
            import_module(name)
