"""What runs where: checks a request against the machine or cluster and starts Ray."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any

from nas_ray.drivers import ray_compat, ray_names
from nas_ray.drivers.addresses import CLIENT, check_address, find_address
from nas_ray.drivers.cluster import wait_for_resources
from nas_ray.drivers.joining import connect, refusal, told_by
from nas_ray.drivers.local_ray import LIMITS, start_local, stop_ray
from nas_ray.drivers.machine import local_gpus
from nas_ray.drivers.plan import PROCESS, RAY
from nas_ray.drivers.plan import Plan as Plan
from nas_ray.errors import UsageError, describe
from nas_ray.terminal.argument_groups import ResourceArgs
from nas_ray.terminal.ranges import CORES, GPUS, SHARES, SOME, WAIT, at_once, check_ranges, local_cores

GPU_SHARE = 0.25
"""Default share of a GPU for one trial: one small net leaves most of a GPU idle."""

RAY_SETTINGS = {
    **ray_compat.AT_IMPORT,
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
    driver: str = RAY  # one of `DRIVERS`

    @property
    def accelerator(self) -> str:
        """Lightning's name of the device of a trial."""
        return "gpu" if self.gpus_per_trial else "cpu"


def request_of(args: ResourceArgs, **more: Any) -> Request:
    """Returns what a command asks for.

    Args:
        args: of the command.
        more: fields of `Request` that only some commands have.
    """
    asked = {name: getattr(args, name) for name in ("num_cpus", "num_gpus", "address", "wait_for_gpus")}
    return Request(**asked, **more)


def check_request(request: Request) -> None:
    """Checks what can be checked before Ray starts.

    Raises:
        UsageError: a number out of range, or more GPUs than this machine has.
    """
    check_ranges(request)
    share = request.gpus_per_trial
    if share is not None and (share not in SHARES or (share > 1 and share != int(share))):
        raise UsageError(f"{request.share_option} must be a fraction up to 1 or a whole number, got {share}.")
    if request.driver == PROCESS:
        plan_here(request)
        return
    address = find_address(request.address)
    if address is not None and address.value.startswith(CLIENT) and not request.client:
        raise UsageError(
            f"--address must be HOST:PORT or auto here, got {address.value}: only searches and two_stage.py "
            "run over Ray Client; use ray job submit instead (docs/cluster.md)."
        )
    if address is None:
        make_plan(request, local_cores(), local_gpus(), "this machine")
    else:
        check_address(address)


def plan_here(request: Request) -> Plan:
    """Returns how a search runs in this process, without Ray: one trial after the other.

    Raises:
        UsageError: something was asked for that needs Ray, or that this machine has not.
    """
    if request.address not in (None, "local"):
        raise UsageError(
            f"--driver process runs without Ray and cannot join {request.address}; leave --address out, or "
            "give --address local."
        )
    for option, value in (("--max-concurrent", request.max_concurrent), ("--num-gpus", request.num_gpus)):
        if value is not None and value > 1:
            raise UsageError(
                f"--driver process runs one trial after the other, so {option} must be at most 1, got "
                f"{value}; take --driver ray for more."
            )
    have = min(1, local_gpus())
    plan = make_plan(request, local_cores(), have, "this machine")
    share = 1 if plan.gpus and request.gpus_per_trial != 0 else 0
    where = f"one after the other in this process ({'a GPU' if share else 'CPU'})"
    return Plan(cpus=1, gpus=share, gpus_per_trial=share, where=where, driver=PROCESS)


def cluster_address(request: Request) -> str | None:
    """Returns the cluster to join: `--address`, else the variable `RAY_ADDRESS`; None for this machine."""
    address = find_address(request.address)
    return None if address is None else address.value


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


def start_ray(request: Request, *, verbose: bool = False, **early: Any) -> Plan:
    """Starts Ray on this machine, or joins the cluster at the address asked for, and returns the plan.

    Args:
        request: what the user asked for.
        verbose: show Ray's own messages.
        early: of a start on this machine that nothing waits for yet: `gpus`, which are known, and the
            `wait` of `start_local`.

    Raises:
        UsageError: Ray cannot start, the cluster cannot be reached, or has less than what was asked for. What
            was started is ended then.
    """
    ray = imported_ray()
    if ray.is_initialized():
        raise UsageError("This process has joined a Ray already; leave it with ray.shutdown() first.")
    if not verbose:
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # failed trials are rows; the rest is raised
    level = logging.INFO if verbose else logging.ERROR
    options = {"log_to_driver": verbose, "logging_level": level if verbose else logging.CRITICAL}
    try:
        plan = (
            _start_here(request, verbose, **options, **early)
            if cluster_address(request) is None
            else _join(request, options)
        )
    except BaseException as error:
        stop_ray()
        if getattr(error, "code", None) == signal.SIGTERM:  # what Ray makes of the signal while it starts
            raise KeyboardInterrupt from error
        raise
    logging.getLogger("ray").setLevel(level)
    return plan


def imported_ray() -> ModuleType:
    """Returns Ray, told what it reads when it is imported."""
    os.environ.update({name: os.environ.get(name, value) for name, value in RAY_SETTINGS.items()})
    try:
        import ray
    except Exception as error:  # half of an installation raises anything
        raise UsageError(
            f"Ray cannot be imported: {describe(error)}; install it again with pip install 'ray[tune]'."
        ) from error
    return ray  # type: ignore[no-any-return]


def _start_here(request: Request, verbose: bool, *, gpus: int | None = None, **options: Any) -> Plan:
    plan = make_plan(request, local_cores(), local_gpus() if gpus is None else gpus, "this machine")
    try:
        start_local(plan.cpus, int(plan.gpus), keep_logs=verbose, **options)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        if getattr(error, "code", None) == signal.SIGTERM:
            raise
        told = told_by(error).partition(ray_names.ADVICE)[0].rstrip(". ")  # the rest is gone
        raise UsageError(f"Ray cannot start on this machine: {told}; {LIMITS}") from error
    return plan


def _join(request: Request, options: dict[str, Any]) -> Plan:
    address = cluster_address(request)
    assert address is not None
    try:
        connect(address, options)
        cpus, gpus = wait_for_resources(request.num_gpus or 0, request.wait_for_gpus)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        if getattr(error, "code", None) == signal.SIGTERM:
            raise
        raise UsageError(refusal(address, error)) from error
    return make_plan(request, cpus, gpus, f"the cluster at {address}")
