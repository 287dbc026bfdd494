"""Joins a Ray that runs already."""

from __future__ import annotations

import time
from typing import Any

from nas_ray.drivers import ray_names
from nas_ray.drivers.addresses import CLIENT
from nas_ray.drivers.cluster import runtime_env
from nas_ray.drivers.patience import START_S, nothing, patience
from nas_ray.errors import LONGEST

_JOINS = 5


def connect(address: str, options: dict[str, Any]) -> None:
    """Joins a cluster; over Ray Client again, as its server forks, and a child dies where gRPC was busy."""
    import ray

    for left in reversed(range(_JOINS if address.startswith(CLIENT) else 1)):
        try:
            said = f"No Ray cluster can be joined at {address!r}: there is no answer for {START_S:g} s."
            with patience(START_S, said, nothing):
                ray.init(address=address, runtime_env=runtime_env(), **options)
            return
        except ConnectionAbortedError as error:
            if not left or ray_names.ABORTED not in str(error):
                raise
            ray.shutdown()
            time.sleep(1)


def told_by(error: BaseException) -> str:
    """Returns a message of Ray in one line, without the traceback of the other side that it may hold."""
    first, *others = str(error).strip().splitlines() or [type(error).__name__]
    told = f"{first} {others[-1].strip()}" if first.endswith(":") and others else first
    return told if len(told) <= LONGEST else f"{told[:LONGEST]} ..."
