"""All that this package uses of Ray beyond its documented interface: a new Ray may break this alone.

Each name is in `ray_names.py` with what it is for and what happens without it, and
`tests/drivers/test_ray_compat.py` asks the installed Ray for every one of them. The upper bound on Ray in
`pyproject.toml` is the first minor version that was not asked; CONTRIBUTING.md says how to raise it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nas_ray.drivers.ray_names import NODE, PRIVATE, SAMPLE
from nas_ray.errors import UsageError

AT_IMPORT = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Variables that Ray reads as it is imported."""
OF_TUNE = {"RAY_AIR_NEW_OUTPUT": "0", "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0"}
"""Variables that Ray Tune reads as it is imported or as a run starts."""
OF_LOCAL_RAY = {
    "RAY_prestart_worker_first_driver": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # for the processes that Ray starts; see `listen_everywhere`
}
"""Variables that the processes of a Ray on this machine read as they start."""


@contextlib.contextmanager
def needed(name: str) -> Iterator[None]:
    """Makes one sentence of it where Ray has no `name`, one of `ray_names.PRIVATE`.

    Raises:
        UsageError: an import or an attribute inside fails.
    """
    try:
        yield
    except (ImportError, AttributeError) as error:
        import ray

        serves, without = PRIVATE[name]
        raise UsageError(
            f"nas_ray does not know Ray {ray.__version__}: it has no {name}, by which {serves}; without it "
            f"{without}. Install the Ray that nas_ray asks for: pip install --upgrade nas_ray."
        ) from error


def places(inner: Path, spill: Path | None) -> dict[str, str | None]:
    """Returns the arguments of `ray.init` that say where its files go.

    Args:
        inner: for sockets and logs.
        spill: for objects that do not fit into memory; None for beside them.
    """
    return {"_temp_dir": str(inner), "object_spilling_directory": None if spill is None else str(spill)}


def listen_everywhere(wanted: bool) -> bool:
    """Lets Ray listen on all interfaces or on the loopback one alone; returns which it was before.

    A Ray that serves this machine alone needs no other. Ray does so by itself on systems where it makes no
    clusters; elsewhere every one of its processes listens on all interfaces. It has read the variable already
    if it was imported before. It also believes then that nothing else is a cluster, so it must be told again
    before this process makes or joins one.

    Raises:
        UsageError: it cannot be told.
    """
    with needed("ray._private.ray_constants.ENABLE_RAY_CLUSTER"):
        constants: Any = importlib.import_module("ray._private.ray_constants")
        before: bool = constants.ENABLE_RAY_CLUSTER  # one that Ray reads no more could be set all the same
    constants.ENABLE_RAY_CLUSTER = wanted
    return before


def read_secret_again() -> None:
    """Makes Ray forget how it was to authenticate, if it has looked already."""
    with contextlib.suppress(ImportError, AttributeError):  # of a Ray that has no such thing
        raylet: Any = importlib.import_module("ray._raylet")
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


@contextlib.contextmanager
def few_processes(*, logs: bool) -> Iterator[None]:
    """Lets a Ray that starts inside do without three of its processes, each a second of a core.

    They scale a cluster up, serve a dashboard, which is not asked for, and forward what workers print. A Ray
    for this machine alone that prints nothing needs none of them, and need not wait for them.

    Args:
        logs: whether what workers print is forwarded.
    """
    names = ["start_monitor", "start_api_server", *([] if logs else ["start_log_monitor"])]
    node: Any = None
    with contextlib.suppress(ImportError, AttributeError):
        node = importlib.import_module("ray._private.node").Node
    before = {name: getattr(node, name) for name in names if hasattr(node, name)}
    for name in before:
        setattr(node, name, lambda node, **options: None)
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(node, name, method)


def heads_here() -> list[str]:
    """Returns the heads of the nodes of this machine."""
    with contextlib.suppress(ImportError, AttributeError):
        from ray._private import services

        services.find_gcs_addresses.cache_clear()
        return list(services.find_gcs_addresses())
    return []


def any_node_runs() -> bool:
    """Returns whether a node of any cluster may run on this machine, without importing Ray."""
    import psutil

    return any(NODE in word for process in psutil.process_iter(["cmdline"]) for word in _first(process.info))


def _first(info: dict[str, Any]) -> list[str]:
    return (info["cmdline"] or [])[:1]  # none of a process of somebody else


def nodes_here() -> list[str] | None:
    """Returns the nodes of clusters that run on this machine; None where that cannot be told."""
    with contextlib.suppress(Exception):  # it asks all processes of the machine
        from ray._private import services

        return list(services.find_node_ids())
    return None


def is_client() -> bool:
    """Returns whether this process, which has imported Ray, joined its cluster by Ray Client (`ray://`)."""
    with needed("ray.util.client.ray"):
        from ray.util.client import ray as client

        return bool(client.is_connected())


def names_of_tune() -> frozenset[str]:
    """Returns the names of what Tune adds to a result that a trial reports."""
    with needed("ray.tune.result"):
        from ray.tune.result import AUTO_RESULT_KEYS, DONE, EXPERIMENT_TAG, RESULT_DUPLICATE, TRIAL_ID

        return frozenset({*AUTO_RESULT_KEYS, DONE, EXPERIMENT_TAG, TRIAL_ID, RESULT_DUPLICATE})


class Unchecked(str):
    """The name of a metric that Tune does not insist on: it takes it for the metric that has no name."""

    def __ne__(self, other: object) -> bool:
        with needed("ray.tune.result.DEFAULT_METRIC"):
            from ray.tune.result import DEFAULT_METRIC
        return other != DEFAULT_METRIC and str.__ne__(self, other)

    __hash__ = str.__hash__


def domain_of(name: str) -> Any:
    """Returns an empty domain or sampler of Tune's, of a class of the module `SAMPLE`; else a ValueError."""
    with needed(SAMPLE):
        module: Any = importlib.import_module(SAMPLE)
        kind = functools.reduce(getattr, name.split("."), module)
    if not isinstance(kind, type) or kind.__module__ != SAMPLE:
        raise ValueError(f"{name} is no class of {SAMPLE}")
    return object.__new__(kind)


def live_trials(tune_controller: Any) -> list[Any]:
    """Returns the trials of a search that have not ended."""
    with needed("ray.tune.execution.tune_controller.TuneController.get_live_trials"):
        return list(tune_controller.get_live_trials())


def register_by_value(module: Any) -> None:
    """Makes Ray send the code of `module` with what is of it.

    Ray pickles with a copy of cloudpickle of its own, so the package of that name need not know of it.
    """
    with needed("ray.cloudpickle.register_pickle_by_value"):
        from ray import cloudpickle

        register = cloudpickle.register_pickle_by_value
    register(module)
