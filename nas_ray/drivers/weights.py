"""Whether this machine could hold the weights of a supernet."""

from __future__ import annotations

import psutil

from nas_ray.drivers.resources import Request, cluster_address
from nas_ray.errors import UsageError
from nas_ray.shared_weights.supernet import CONVOLUTIONS
from nas_ray.spaces.nats_tss import EDGES, NatsTss

GIB = 2**30


def check_weights(space: NatsTss, request: Request) -> None:
    """Checks that this machine could hold the weights of one supernet; nothing is known of a cluster's nodes.

    Raises:
        UsageError: it could not, whatever else ran on it.
    """
    widths = [space.channels * factor for factor in (1, 2, 4)]
    kernels = sum(kernel**2 for kernel in CONVOLUTIONS.values())
    need = 4 * space.cells * len(EDGES) * kernels * sum(width**2 for width in widths)
    have = psutil.virtual_memory().total
    if cluster_address(request) is None and need > have:
        raise UsageError(
            f"--channels {space.channels} and --cells {space.cells} make a supernet whose weights take "
            f"{need / GIB:,.0f} GiB, but this machine has {have / GIB:,.0f} GiB; lower them."
        )
