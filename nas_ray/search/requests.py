"""What a search asks of a machine or a cluster."""

from __future__ import annotations

from nas_ray.drivers.resources import Request, request_of
from nas_ray.search.argument_groups import TrialArgs


def request_for(args: TrialArgs) -> Request:
    """Returns what the trials of a search ask for."""
    share, at_once = args.gpus_per_trial, args.max_concurrent
    return request_of(args, gpus_per_trial=share, max_concurrent=at_once, client=True, driver=args.driver)
