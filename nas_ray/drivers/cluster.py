"""Joining a Ray cluster: the code that its workers need, and nodes that come later."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from nas_ray.process.plugins import PACKAGE

POLL_S = 1.0


def runtime_env() -> dict[str, Any]:
    """Returns Ray's runtime environment of a run on a cluster: this very package, whatever nodes have.

    Ray uploads it once per version and puts it before what is installed. Libraries must be installed on the
    nodes. Modules of a user's own are pickled by value (`ship_by_value`).
    """
    return {"py_modules": [str(PACKAGE)], "excludes": ["**/__pycache__"]}


def wait_for_resources(gpus: int, seconds: float) -> tuple[int, float]:
    """Returns CPU cores and GPUs of the cluster, once it has `gpus` GPUs and a core, or `seconds` are over.

    A cluster that starts nodes on demand is asked for them, with a core each. Ray must be initialised.
    """
    deadline = time.monotonic() + seconds
    have = _resources()
    if _enough(have, gpus) or not seconds:
        return have
    _request([{"CPU": 1, "GPU": 1}] * gpus or [{"CPU": 1}])
    while not _enough(have, gpus) and time.monotonic() < deadline:
        time.sleep(min(POLL_S, seconds))
        have = _resources()
    _request([])  # from here on the trials that wait say what is needed
    return have


def _resources() -> tuple[int, float]:
    import ray

    resources = ray.cluster_resources()
    return int(resources.get("CPU", 0)), float(resources.get("GPU", 0))


def _enough(have: tuple[int, float], gpus: int) -> bool:
    return have[0] >= 1 and have[1] >= gpus


def _request(bundles: list[dict[str, float]]) -> None:
    from ray.autoscaler.sdk import request_resources

    with contextlib.suppress(Exception):  # a cluster without an autoscaler: its nodes come by themselves
        request_resources(bundles=bundles)
