from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.resources import Request, start_ray
from tests.guards.commands import kept_signals


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Every test begins with one thread, as a worker does: sums of several threads are rounded otherwise.

    Nets this small are faster with one as well, above all on a machine that is busy.
    """
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Every test begins with Python's own handler of Ctrl-C, and leaves all handlers as they were.

    A shell that starts the tests in the background has Ctrl-C ignored.
    """
    with kept_signals():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield


@pytest.fixture(autouse=True, scope="module")
def own_environment() -> Iterator[None]:
    """Every file leaves the environment as it was; the secret of one Ray would keep drivers from another."""
    before = dict(os.environ)
    yield
    changed = {name for name in {*before, *os.environ} if before.get(name) != os.environ.get(name)}
    os.environ.clear()
    os.environ.update(before)
    assert not {name for name in changed if name.startswith("RAY_AUTH")}


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the real tables and images; tests that use it are marked `data`."""
    default = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("NAS_RAY_TEST_DATA", default))
    if not path.is_dir():
        pytest.skip(f"no data folder at {path}; set NAS_RAY_TEST_DATA")
    return path


@pytest.fixture(scope="module")
def ray_started() -> Iterator[None]:
    """A cluster of two workers on this machine, for the tests of one file."""
    start_ray(Request(num_cpus=2, num_gpus=0))
    yield
    stop_ray()
