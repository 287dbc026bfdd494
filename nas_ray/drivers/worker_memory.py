"""How much memory a process has had: this one, or a new worker at its work."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from typing import Any

from nas_ray.drivers.pool import Scorer, Worker, make_worker
from nas_ray.drivers.resources import Plan


def peak_bytes() -> int:
    """Returns the most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


class Probe(Worker):
    """A worker that tells its peak."""

    def peak(self, archs: Sequence[str]) -> int:
        """Returns the most memory in bytes that this process has had, once it has scored `archs`."""
        self.score(archs)
        return peak_bytes()


def worker_peak_bytes(scorer: Scorer, archs: Sequence[str], plan: Plan) -> int:
    """Returns the peak memory in bytes of a new worker that scores `archs`; Ray must be initialised."""
    import ray

    probe: Any = make_worker(plan, Probe)(scorer)
    try:
        return int(ray.get(probe.peak.remote(archs)))
    finally:
        ray.kill(probe)
