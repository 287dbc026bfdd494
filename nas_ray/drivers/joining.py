"""Joins a Ray that runs already, and says in one sentence why that cannot be."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Sequence
from typing import Any

from nas_ray.drivers import ray_compat, ray_names
from nas_ray.drivers.addresses import CLIENT, Address, check_address, refused_token
from nas_ray.drivers.cluster import runtime_env
from nas_ray.drivers.patience import START_S, nothing, patience
from nas_ray.drivers.raw_lines import Heard, raw_lines, telling
from nas_ray.errors import LONGEST, UsageError

_JOINS = 5
_NODE_S = 5.0
"""How long a node of this machine may take to come up, which `ray start` began."""
_VERSIONS = re.compile(r"Ray: (\S+)\s+Python: (\S+)")
_CLIENT_HINT = (
    " (Ray Client needs the cluster's versions of Python and Ray and, for a token, RAY_AUTH_MODE=token)"
)


def connect(address: str, options: dict[str, Any]) -> None:
    """Joins a cluster; over Ray Client again, as its server forks, and a child dies where gRPC was busy.

    What Ray's compiled half says meanwhile is shown where `log_to_driver` is set, and is else read for the
    line that says what failed.

    Raises:
        UsageError: it cannot be joined.
    """
    client = address.startswith(CLIENT)
    if not client:
        _check_node(address)
    for left in reversed(range(_JOINS if client else 1)):
        try:
            _join(address, options)
            return
        except ConnectionAbortedError as error:
            if not left or ray_names.ABORTED not in str(error):
                raise
            import ray

            ray.shutdown()
            time.sleep(1)


def _join(address: str, options: dict[str, Any]) -> None:
    import ray

    said = f"No Ray cluster can be joined at {address!r}: there is no answer for {START_S:g} s."
    with raw_lines(kept=not options.get("log_to_driver")) as heard:
        try:
            with patience(START_S, said, nothing, look=lambda: _gone(address, heard)):
                ray.init(address=address, runtime_env=runtime_env(), **options)
        except (UsageError, ConnectionAbortedError):
            raise
        except (Exception, SystemExit) as error:
            if getattr(error, "code", None) == signal.SIGTERM:
                raise
            raise UsageError(refusal(address, error, heard.lines())) from error


def _check_node(address: str) -> None:
    """Checks that this machine is a node of a cluster, which Ray itself waits a minute for.

    Raises:
        UsageError: it is none.
    """
    deadline = time.monotonic() + _NODE_S
    while not (nodes := ray_compat.nodes_here()):
        if nodes is None:  # nobody knows
            return
        if time.monotonic() > deadline:
            raise UsageError(_no_node(address))
        time.sleep(0.2)


def _gone(address: str, heard: Heard) -> str | None:
    """Returns why the cluster does not answer any more, where Ray complains that it does not; else None."""
    if not any(ray_names.NO_ANSWER in line for line in heard.lines()):
        return None
    try:
        check_address(Address(address, address))
    except UsageError as error:
        return str(error)
    return None


def refusal(address: str, error: BaseException, lines: Sequence[str] = ()) -> str:
    """Returns the sentence that says why the cluster at `address` cannot be joined.

    Args:
        address: as Ray was given it.
        error: what Ray raised.
        lines: what it wrote.
    """
    text = "\n".join([str(error), *lines])
    versions = _VERSIONS.findall(str(error))
    if ray_names.OTHER_VERSION in text and len(versions) == 2:
        (ray_there, python_there), (ray_here, python_here) = versions
        way = f"with pip install 'ray[tune]=={ray_there}'" if ray_there != ray_here else "with that Python"
        return (
            f"The cluster at {address} runs Ray {ray_there} on Python {python_there}, and this process Ray "
            f"{ray_here} on Python {python_here}, which must be equal; make them so {way}."
        )
    if any(said in text for said in ray_names.WRONG_TOKEN):
        return refused_token(address)
    if ray_names.NO_NODE in text:
        return _no_node(address)
    hint = _CLIENT_HINT if address.startswith(CLIENT) else ""
    line = telling(lines)
    said = told_by(error) if line is None else f"{told_by(error).rstrip('.')} ({line.rstrip('.')[:LONGEST]})"
    return f"No Ray cluster can be joined at {address!r}: {said}{hint}"


def _no_node(address: str) -> str:
    return (
        f"This machine is no node of the cluster at {address}, as a driver must be; run the command on one, "
        f"make it one with ray start --address {address}, or join by Ray Client (ray://HOST:10001)."
    )


def told_by(error: BaseException) -> str:
    """Returns a message of Ray in one line, without the traceback of the other side that it may hold."""
    first, *others = str(error).strip().splitlines() or [type(error).__name__]
    told = f"{first} {others[-1].strip()}" if first.endswith(":") and others else first
    return told if len(told) <= LONGEST else f"{told[:LONGEST]} ..."
