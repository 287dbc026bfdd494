"""The installed Ray has all that is used of it beyond its documented interface."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import ray
from packaging.specifiers import SpecifierSet

from nas_ray.drivers import ray_compat
from nas_ray.drivers.ray_compat import needed
from nas_ray.drivers.ray_names import (
    ABORTED,
    ADVICE,
    CLIENT_CALL,
    CURRENT_CLUSTER,
    HEAD_CALL,
    HEAD_NODE,
    NO_ANSWER,
    NO_NODE,
    NODE,
    OTHER_VERSION,
    PRIVATE,
    SAMPLE,
    SOCKET,
    WORKER_LOGS,
    WRONG_TOKEN,
)
from nas_ray.errors import UsageError

ROOT = Path(__file__).parents[2]
RAY = Path(ray.__file__).parent


def defined(path: str) -> Callable[[], bool]:
    """Returns a look at a module, or at what one has."""

    def look() -> bool:
        module, _, names = path.partition(":")
        thing = importlib.import_module(module)
        for name in filter(None, names.split(".")):
            if not hasattr(thing, name):
                return False
            thing = getattr(thing, name)
        return True

    return look


def said(module: str, text: str) -> Callable[[], bool]:
    """Returns a look for a text in the source of a module."""
    return lambda: text in inspect.getsource(importlib.import_module(module))


def built_in(text: str) -> Callable[[], bool]:
    """Returns a look for a text in what starts workers, which is compiled."""
    return lambda: text.encode() in (RAY / "core/src/ray/raylet/raylet").read_bytes()


def in_core(text: str) -> Callable[[], bool]:
    """Returns a look for a text in what processes of Python have of Ray, which is compiled."""
    return lambda: text.encode() in (RAY / "_raylet.so").read_bytes()


def called(module: str, call: tuple[str, bytes]) -> Callable[[], bool]:
    """Returns a look for a method of gRPC."""

    def look() -> bool:
        package, _, method = call[0].lstrip("/").rpartition("/")
        messages = importlib.import_module(f"ray.core.generated.{module}")
        service = messages.DESCRIPTOR.services_by_name.get(package.rpartition(".")[2])
        return service is not None and service.full_name == package and method in service.methods_by_name

    return look


def both(*looks: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: all(look() for look in looks)


LOOKS = {
    "ray._private.ray_constants.ENABLE_RAY_CLUSTER": both(
        defined("ray._private.ray_constants:ENABLE_RAY_CLUSTER"),
        said("ray._private.services", "ray_constants.ENABLE_RAY_CLUSTER"),
    ),
    "ray._raylet.AuthenticationTokenLoader": both(
        defined("ray._raylet:Config.initialize"),
        defined("ray._raylet:AuthenticationTokenLoader.instance"),
        defined("ray._raylet:AuthenticationTokenLoader.reset_cache"),
    ),
    "ray._private.services.find_gcs_addresses": defined(
        "ray._private.services:find_gcs_addresses.cache_clear"
    ),
    "ray._private.services.find_node_ids": defined("ray._private.services:find_node_ids"),
    NODE: both(said("ray._private.services", "raylet"), built_in("raylet")),
    NO_NODE: said("ray._private.services", NO_NODE),
    OTHER_VERSION: said("ray._private.utils", OTHER_VERSION),
    WRONG_TOKEN[0]: in_core(WRONG_TOKEN[0]),
    WRONG_TOKEN[1]: said("ray._private.authentication.authentication_constants", WRONG_TOKEN[1]),
    NO_ANSWER: in_core(NO_ANSWER),
    "ray._private.node.Node": both(
        *(
            defined(f"ray._private.node:Node.{name}")
            for name in ("start_monitor", "start_api_server", "start_log_monitor")
        ),
        said("ray._private.node", "self._webui_url = None"),
    ),
    "ray.util.client.ray": defined("ray.util.client:ray.is_connected"),
    "ray.tune.result": lambda: bool(ray_compat.names_of_tune()),
    "ray.tune.result.DEFAULT_METRIC": both(
        defined("ray.tune.result:DEFAULT_METRIC"),
        said("ray.tune.execution.tune_controller", "self._search_alg.metric != DEFAULT_METRIC"),
    ),
    SAMPLE: both(*(defined(f"{SAMPLE}:{name}") for name in ("Float._LogUniform", "Integer", "Categorical"))),
    "_temp_dir": said("ray._private.worker", 'kwargs.pop("_temp_dir"'),
    "object_spilling_directory": said("ray._private.worker", '"object_spilling_directory"'),
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": said(
        "ray._private.accelerators.accelerator", '"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"'
    ),
    "RAY_AIR_NEW_OUTPUT": said("ray.tune.experimental.output", '"RAY_AIR_NEW_OUTPUT"'),
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": said(
        "ray.train.constants", '"RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS"'
    ),
    "RAY_prestart_worker_first_driver": built_in("prestart_worker_first_driver"),
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": said(
        "ray._private.ray_constants", '"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"'
    ),
    HEAD_NODE: said("ray._common.constants", HEAD_NODE.partition(":")[2]),
    HEAD_CALL[0]: called("gcs_service_pb2", HEAD_CALL),
    CLIENT_CALL[0]: called("ray_client_pb2", CLIENT_CALL),
    str(CURRENT_CLUSTER): said("ray._common.utils", f'"{CURRENT_CLUSTER.name}"'),
    SOCKET: both(
        said("ray._private.node", 'f"session_{date_str}_{os.getpid()}"'),
        said("ray._private.node", '"sockets"'),
        said("ray._private.node", 'default_prefix="plasma_store"'),
    ),
    WORKER_LOGS: both(
        said("ray._private.node", '"logs"'),
        said("ray._private.ray_logging", 'worker_name = "worker"'),
        said("ray._private.ray_logging", 'filename += f"{os.getpid()}"'),
    ),
    ABORTED: said("ray.util.client.worker", ABORTED),
    ADVICE: said("ray._private.node", ADVICE),
    "ray.cloudpickle.register_pickle_by_value": defined("ray.cloudpickle:register_pickle_by_value"),
    "ray.tune.execution.tune_controller.TuneController.get_live_trials": defined(
        "ray.tune.execution.tune_controller:TuneController.get_live_trials"
    ),
}


def test_all_are_looked_for() -> None:
    assert set(LOOKS) == set(PRIVATE)


@pytest.mark.parametrize("name", PRIVATE)
def test_it_is_there(name: str) -> None:
    serves, without = PRIVATE[name]
    lost = f"Ray {ray.__version__} has no {name} any more, by which {serves}; without it {without}."
    try:
        assert LOOKS[name](), lost
    except (ImportError, OSError) as error:
        pytest.fail(f"{lost} ({error})")


def test_nothing_else_is_private() -> None:
    private = re.compile(
        r"\bray\._(?!_)|\b_raylet|\b_internal\b|\b_temp_dir|\"RAY_(?!ADDRESS|AUTH|TMPDIR|USE_TLS)\w+\""
    )
    known = {"RAY_USAGE_STATS_ENABLED", "RAY_DEDUP_LOGS"}  # documented
    found = {
        f"{path.name}: {match[0]}"
        for path in (ROOT / "nas_ray").rglob("*.py")
        if path.name not in ("ray_compat.py", "ray_names.py")
        for match in private.finditer(path.read_text(encoding="utf-8"))
        if match[0].strip('"') not in known
    }
    assert not found


def test_what_is_gone_is_one_sentence() -> None:
    with pytest.raises(UsageError) as caught, needed("ray.util.client.ray"):
        importlib.import_module("ray.util.no_such_thing")
    assert str(caught.value) == (
        f"nas_ray does not know Ray {ray.__version__}: it has no ray.util.client.ray, by which searches "
        "notice that they run over Ray Client; without it no search is started, as Tune would run on the "
        "wrong side. Install the Ray that nas_ray asks for: pip install --upgrade nas_ray."
    )


def test_a_ray_that_would_listen_to_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("ray._private.ray_constants.ENABLE_RAY_CLUSTER")
    with pytest.raises(UsageError, match=r"has no ray\._private\.ray_constants\.ENABLE_RAY_CLUSTER"):
        ray_compat.listen_everywhere(False)


def test_heads_that_cannot_be_found_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("ray._private.services.find_gcs_addresses")
    assert ray_compat.heads_here() == []


def test_the_installed_ray_is_one_that_is_asked_for() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "cluster.yaml")]
    bounds = [bound for text in texts for bound in re.findall(r'"ray\[[\w,]+\]([^"]+)"', text)]
    assert len(bounds) == 3
    assert len(set(bounds)) == 1
    assert "<" in bounds[0]
    assert SpecifierSet(bounds[0]).contains(ray.__version__), "see CONTRIBUTING.md, A newer Ray"
