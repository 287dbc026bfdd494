"""One Ray for all tests that only need one: started by the first, ended before the first that needs none.

`conftest.py` puts the tests that need it next to each other and on two workers of pytest-xdist, each with a
Ray of its own, so that these are two starts. Tests of the start itself, and of what ends with it, have
their own.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from unittest import mock

from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.resources import Plan, Request, check_request, make_plan, start_ray

CORES = 2
"""Workers of the shared Ray; a core of this machine may have to serve both."""
STARTS = ("nas_ray.drivers.lifecycle.start_ray",)
STOPS = ("nas_ray.drivers.lifecycle.stop_ray", "nas_ray.score_space.run.stop_ray")


def there() -> bool:
    """Returns whether this process has a Ray."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def have() -> None:
    """Starts the shared Ray unless it is there."""
    if not there():
        start_ray(Request(num_cpus=CORES, num_gpus=0))


def end() -> None:
    """Ends it, if it is there."""
    if there():
        stop_ray()


def refused() -> AbstractContextManager[Any]:
    """Returns a context in which no Ray starts in this process."""
    return mock.patch("ray.init", side_effect=AssertionError("a test that starts Ray is marked ray"))


def lent() -> ExitStack:
    """Returns a context in which commands of this process use the shared Ray, and leave it as it is.

    They have one worker where they ask for no number, since each takes seconds to start.
    """

    def plan(request: Request, *, verbose: bool = False) -> Plan:
        check_request(request)
        return make_plan(request, request.num_cpus or 1, 0, "this machine")

    stack = ExitStack()
    for name in STARTS:
        stack.enter_context(mock.patch(name, plan))
    for name in STOPS:
        stack.enter_context(mock.patch(name))
    return stack
