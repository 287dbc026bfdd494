"""What runs where: checks a request against the machine or cluster and starts Ray."""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import dataclass
from typing import Annotated, Any

from nas_ray.cluster import runtime_env, wait_for_resources
from nas_ray.errors import UsageError
from nas_ray.ranges import (
    CORES,
    GPUS,
    SHARES,
    SOME,
    WAIT,
    at_once,
    check_ranges,
    local_cores,
    whole_number,
)

CLIENT = "ray://"
"""How an address of Ray Client begins."""
CLIENT_HINT = (
    " (Ray Client needs the cluster's versions of Python and Ray and, for a token, RAY_AUTH_MODE=token)"
)
GPU_SHARE = 0.25
"""Default share of a GPU for one trial: one small net leaves most of a GPU idle."""

_JOINS = 5
_PATIENCE_S = 5.0
_SETTINGS = b"\x04"  # type of the frame with which both sides of HTTP/2 begin
RAY_SETTINGS = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing leaves the machine unasked
    "RAY_DEDUP_LOGS": "1",
}


@dataclass(frozen=True)
class Request:
    """What the user asked for; None means "decide for me"."""

    num_cpus: Annotated[int | None, CORES] = None
    num_gpus: Annotated[int | None, GPUS] = None
    gpus_per_trial: float | None = None  # of `SHARES`, and whole above 1
    max_concurrent: Annotated[int | None, SOME] = None
    address: str | None = None
    share_option: str = "--gpus-per-trial"  # what the user calls `gpus_per_trial`
    wait_for_gpus: Annotated[float, WAIT] = 0.0  # seconds that a cluster may take to bring up what is missing
    client: bool = False  # whether the experiment can run over Ray Client


@dataclass(frozen=True)
class Plan:
    """What a search uses.

    Attributes:
        cpus: CPU cores in all.
        gpus: GPUs in all.
        cpus_per_trial: cores of one trial.
        gpus_per_trial: share of a GPU of one trial.
        max_concurrent: trials in flight.
        where: one phrase for the user.
    """

    cpus: int
    gpus: float
    cpus_per_trial: float
    gpus_per_trial: float
    max_concurrent: int
    where: str


def check_request(request: Request) -> None:
    """Checks what can be checked before Ray starts.

    Raises:
        UsageError: a number out of range, or more GPUs than this machine has.
    """
    check_ranges(request)
    share = request.gpus_per_trial
    if share is not None and (share not in SHARES or (share > 1 and share != int(share))):
        raise UsageError(f"{request.share_option} must be a fraction up to 1 or a whole number, got {share}.")
    address = cluster_address(request)
    if address is not None and address.startswith(CLIENT) and not request.client:
        raise UsageError(
            f"--address must be HOST:PORT or auto here, got {address}: only searches and two_stage.py "
            "run over Ray Client; use ray job submit instead (docs/cluster.md)."
        )
    if address is None:
        make_plan(request, local_cores(), _local_gpus(), "this machine")
    else:
        _check_reachable(address)


def cluster_address(request: Request) -> str | None:
    """Returns the cluster to join: `--address`, else the variable `RAY_ADDRESS`; None for this machine."""
    address = request.address or os.environ.get("RAY_ADDRESS") or None
    return None if address == "local" else address


def make_plan(request: Request, cpus: int, gpus: float, place: str) -> Plan:
    """Returns how a search uses `cpus` and `gpus`, the resources of `place`.

    Raises:
        UsageError: more is asked for than there is, so that a trial would wait for ever.
    """
    if request.num_gpus is not None and request.num_gpus > gpus:
        raise UsageError(
            f"--num-gpus {request.num_gpus} was asked for, but {place} has {gpus:g} GPUs; lower it, or give "
            "--address of a cluster that has them (--wait-for-gpus SECONDS, if they come later)."
        )
    may_grow = request.wait_for_gpus and cluster_address(request) is not None
    if request.num_cpus is not None and not may_grow:
        at_once(cpus, place).check("--num-cpus", request.num_cpus)
    use_cpus = request.num_cpus if request.num_cpus is not None else cpus
    use_gpus = gpus if request.num_gpus is None else request.num_gpus
    share = request.gpus_per_trial if request.gpus_per_trial is not None else (GPU_SHARE if use_gpus else 0.0)
    if share > use_gpus:
        raise UsageError(
            f"{request.share_option} {share:g} does not fit into the {use_gpus:g} GPUs that the search may "
            "use."
        )
    if use_cpus < 1:
        raise UsageError(f"A trial needs one CPU core, but {place} has {cpus}.")
    slots = (
        int(use_gpus) * int(1 / share + 1e-9)
        if 0 < share <= 1
        else int(use_gpus / share)
        if share
        else use_cpus
    )
    most = min(slots, use_cpus)
    concurrent = min(request.max_concurrent or most, most)
    device = f"{share:g} GPU each, {use_gpus:g} GPUs" if share else f"one core each, {use_cpus} CPU cores"
    where = f"{concurrent} at a time ({device}) on {place}"
    return Plan(use_cpus, use_gpus, 1, share, concurrent, where)


def start_ray(request: Request, *, verbose: bool = False) -> Plan:
    """Starts Ray on this machine, or joins the cluster at the address asked for, and returns the plan.

    Raises:
        UsageError: the cluster cannot be reached, or has less than what was asked for.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in RAY_SETTINGS.items()})
    import ray

    options: dict[str, Any] = {
        "log_to_driver": verbose,
        "logging_level": logging.INFO if verbose else logging.ERROR,
    }
    if not verbose:
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # failed trials are rows; the rest is raised
    address = cluster_address(request)
    if address is None:
        plan = make_plan(request, local_cores(), _local_gpus(), "this machine")
        _stay_on_loopback()
        ray.init(
            address="local", num_cpus=plan.cpus, num_gpus=int(plan.gpus), include_dashboard=False, **options
        )
        return plan
    try:
        _join(address, options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        hint = CLIENT_HINT if address.startswith(CLIENT) else ""
        raise UsageError(f"No Ray cluster can be joined at {address!r}: {_told(error)}{hint}") from error
    cpus, gpus = wait_for_resources(request.num_gpus or 0, request.wait_for_gpus)
    return make_plan(request, cpus, gpus, f"the cluster at {address}")


def _join(address: str, options: dict[str, Any]) -> None:
    """Joins a cluster; over Ray Client again, as its server forks, and a child dies where gRPC was busy."""
    import ray

    for left in reversed(range(_JOINS if address.startswith(CLIENT) else 1)):
        try:
            ray.init(address=address, runtime_env=runtime_env(), **options)
            return
        except ConnectionAbortedError as error:
            if not left or "Initialization failure" not in str(error):
                raise
            ray.shutdown()
            time.sleep(1)


def _told(error: Exception) -> str:
    """Returns a message of Ray without the traceback of the other side that it may hold."""
    first, *others = str(error).strip().splitlines() or [type(error).__name__]
    return f"{first} {others[-1].strip()}" if first.endswith(":") and others else first


def _stay_on_loopback() -> None:
    """Lets a Ray that serves this machine alone listen on the loopback interface only.

    Ray does so by itself on systems where it makes no clusters; elsewhere every one of its processes listens
    on all interfaces. It has read the variable already if it was imported before, hence the second line.
    """
    from ray._private import ray_constants

    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # for the processes that Ray starts
    ray_constants.ENABLE_RAY_CLUSTER = False


def _check_reachable(address: str) -> None:
    """Asks for a connection and greets a gRPC server once, since Ray itself would try for minutes."""
    host, colon, port = address.removeprefix(CLIENT).rpartition(":")
    number = whole_number(port)
    if not colon or number is None:
        return
    try:
        with socket.create_connection((host.strip("[]"), number), timeout=_PATIENCE_S) as connection:
            answer = None if address.startswith(CLIENT) else _greeted(connection)
    except (OSError, OverflowError) as error:
        raise UsageError(f"Nothing answers at --address {address}: {error}; is the cluster up?") from error
    if answer is not None and answer[3:4] != _SETTINGS and os.environ.get("RAY_USE_TLS", "0") != "1":
        raise UsageError(
            f"Something else than a Ray cluster answers at --address {address}; is the port right?"
        )


def _greeted(connection: socket.socket) -> bytes | None:
    """Returns the first bytes of what answers the greeting of HTTP/2, which gRPC speaks; None for silence.

    Source: RFC 9113, sections 3.4 (the greeting) and 4.1 (a frame: three bytes of length, then its type).
    """
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + _SETTINGS + bytes(5))
    try:
        return connection.recv(9)
    except TimeoutError:  # a head may be slow
        return None


def _local_gpus() -> int:
    import torch

    return torch.cuda.device_count()
