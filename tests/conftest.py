from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from nas_ray.terminal.ranges import local_cores
from tests import shared_ray
from tests.guards.commands import kept_signals

# Ray's workers give way to everything else, and would wait for the tests in the other processes.
os.environ.update({"RAY_worker_niceness": "0"})


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Every test begins with one thread, as a worker does: sums of several threads are rounded otherwise.

    Nets this small are faster with one as well, above all on a machine that is busy.
    """
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Every test begins with Python's own handler of Ctrl-C, and leaves all handlers as they were.

    A shell that starts the tests in the background has Ctrl-C ignored, and `nohup` SIGHUP.
    """
    with kept_signals():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        yield


@pytest.fixture(autouse=True)
def own_ray(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test finds the shared Ray if it asks for `ray_started`, else none, and leaves it so."""
    shares = shares_ray(request.node)
    if shares:
        shared_ray.have()
    else:
        shared_ray.end()
    marked = request.node.get_closest_marker("ray") is not None
    with contextlib.nullcontext() if marked else shared_ray.refused():
        yield
    if not shares and shared_ray.there():
        shared_ray.end()
        pytest.fail("this test leaves a Ray; end it with nas_ray.drivers.local_ray.stop_ray")


@pytest.fixture(autouse=True)
def own_environment(own_ray: None) -> Iterator[None]:
    """Every test leaves the environment as it was; the secret of one Ray would keep drivers from another."""
    before = dict(os.environ)
    yield
    changed = {name for name in {*before, *os.environ} if before.get(name) != os.environ.get(name)}
    for name in changed:
        os.environ.pop(name, None)
    os.environ.update({name: before[name] for name in changed & set(before)})
    assert not {name for name in changed if name.startswith("RAY_AUTH")}


@pytest.fixture(autouse=True)
def own_modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every test finds no module of another one's folder: plug-ins of two tests may have one name."""
    path, before = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    folder = str(tmp_path_factory.getbasetemp())
    for name in sys.modules.keys() - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(folder):
            del sys.modules[name]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the real tables and images; tests that use it are marked `data`."""
    default = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("NAS_RAY_TEST_DATA", default))
    if not path.is_dir():
        pytest.skip(f"no data folder at {path}; set NAS_RAY_TEST_DATA")
    return path


@pytest.fixture
def ray_started(own_ray: None) -> Iterator[None]:
    """The Ray that all tests share, which commands called in this process use as if they had started it."""
    with shared_ray.lent():
        yield


def pytest_sessionfinish() -> None:
    """Ends the shared Ray with the tests."""
    shared_ray.end()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what shares a Ray first, and what starts its own after it."""
    for item in items:
        if shares_ray(item):
            item.add_marker(pytest.mark.ray)
    items.sort(key=lambda item: 0 if shares_ray(item) else 1 if item.get_closest_marker("ray") else 2)


def pytest_collection_finish() -> None:
    """Keeps the collector from going through ten thousand tests again and again."""
    gc.collect()
    gc.freeze()


def shares_ray(item: pytest.Item) -> bool:
    return "ray_started" in getattr(item, "fixturenames", ())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Says what `-n auto` is: none for tests that are named one by one, else cores plus one, at most four.

    One more, since tests with a Ray mostly wait for its processes. Each needs up to 4 GiB: torch, what it
    tests, and a Ray with two workers.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    if any("::" in argument for argument in config.args):
        return 0
    memory = int(psutil.virtual_memory().available / 2**30 / 4)
    workers = max(1, min(local_cores() + 1, memory, 4))
    return workers if workers > 1 else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives each process whole files, so that what a file shares is made once, or a group of files."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.partition("::")[0])

    return Files(config, log)


@cache
def group_of(file: str) -> str:
    """Returns what stays together: a file, or all files on a cluster, or half of those that share a Ray."""
    if file.startswith("tests/cluster/"):
        return "cluster"
    place = next((place for place, path in enumerate(sharing()) if path.as_posix().endswith(file)), None)
    return file if place is None else f"ray-{place % 2}"


@cache
def sharing() -> list[Path]:
    """Returns the files that have tests with the shared Ray."""
    tests = Path(__file__).parent
    return [path for path in sorted(tests.rglob("test_*.py")) if "ray_started" in path.read_text("utf-8")]
