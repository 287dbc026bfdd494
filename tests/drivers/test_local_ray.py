from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray

from nas_ray.drivers import joining, local_ray, patience, resources
from nas_ray.drivers.local_ray import LIMITS, stop_ray
from nas_ray.drivers.resources import Request, start_ray
from nas_ray.errors import UsageError


class FakeRay:
    """Takes the place of Ray's functions; `init` does what a test wants."""

    def __init__(self, init: Callable[..., None], ready: bool = True) -> None:
        self.init_, self.ready = init, ready
        self.options: dict[str, Any] = {}
        self.stopped = 0

    def init(self, **options: Any) -> None:
        self.options = options
        self.init_(**options)

    def shutdown(self) -> None:
        self.stopped += 1

    def wait(self, asked: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return (asked[:1], asked[1:]) if self.ready else ([], asked)


@pytest.fixture(autouse=True)
def own_environment(own_ray: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    before = dict(os.environ)
    for name in (
        "RAY_ADDRESS",
        "RAY_AUTH_MODE",
        "RAY_AUTH_TOKEN",
        "RAY_AUTH_TOKEN_PATH",
        "RAY_TMPDIR",
        "TMPDIR",
    ):
        os.environ.pop(name, None)
    os.environ["HOME"] = str(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


def fake(monkeypatch: pytest.MonkeyPatch, init: Callable[..., None], **options: Any) -> FakeRay:
    made = FakeRay(init, **options)
    for name in ("init", "shutdown", "wait"):
        monkeypatch.setattr(ray, name, getattr(made, name))

    class Task:
        def remote(self) -> object:
            return object()

    monkeypatch.setattr(ray, "remote", lambda **_: lambda function: Task())
    monkeypatch.setattr(ray, "get", lambda found: None)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(local_ray.ray_compat, "read_secret_again", lambda: None)
    monkeypatch.setattr(resources, "local_gpus", lambda: 0)
    return made


def nothing(**options: Any) -> None:
    """Starts nothing."""


def raises(error: BaseException) -> Callable[..., None]:
    def init(**options: Any) -> None:
        raise error

    return init


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("The first.\nA second.\n  A third."), "The first"),
        (RuntimeError("Failed to start GCS. Please check /tmp/x for details."), "Failed to start GCS"),
        (Exception("Failed:\nTraceback (most recent call last):\nOSError: no"), "Failed: OSError: no"),
        (OSError(98, "Address already in use"), "[Errno 98] Address already in use"),
        (ValueError(), "ValueError"),
        (SystemExit(1), "1"),
        (RuntimeError("x" * 1000), "x" * 200),
    ],
)
def test_whatever_ray_raises_is_one_sentence_and_leaves_nothing(
    error: BaseException, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fake(monkeypatch, raises(error))
    with pytest.raises(UsageError) as caught:
        start_ray(Request(num_cpus=1))
    assert str(caught.value) == f"Ray cannot start on this machine: {told}; {LIMITS}"
    assert made.stopped
    assert not Path(made.options["_temp_dir"]).parent.exists()
    assert local_ray._current is None


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(signal.SIGTERM)])
def test_who_stops_the_start_interrupts_it(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake(monkeypatch, raises(error))
    with pytest.raises(KeyboardInterrupt):
        start_ray(Request(num_cpus=1))
    assert made.stopped
    assert not Path(made.options["_temp_dir"]).parent.exists()


def test_workers_that_die_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(_temp_dir: str, **options: Any) -> None:
        logs = Path(_temp_dir) / "session_2026" / "logs"
        logs.mkdir(parents=True)
        for number in range(4):
            process = subprocess.Popen(["true"])
            process.wait()
            line = (
                "[2026-11-28 18:09:25,603 C 7464 7464] shared_memory.cc:46: mmap failed\n*** StackTrace ***\n"
            )
            (logs / f"worker-abc{number}-ffffffff-{process.pid}.err").write_text(line)

    fake(monkeypatch, init, ready=False)
    with pytest.raises(UsageError) as caught:
        start_ray(Request(num_cpus=1))
    assert str(caught.value) == (
        "Ray cannot work on this machine: its workers die at their start (shared_memory.cc:46: mmap failed); "
        + LIMITS
    )


def test_no_worker_is_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, nothing, ready=False)
    monkeypatch.setattr(local_ray, "PATIENCE_S", 0.0)
    with pytest.raises(
        UsageError, match="Ray cannot work on this machine: no worker came up in 0 s; see that its"
    ):
        start_ray(Request(num_cpus=1))


@pytest.mark.parametrize("address", [None, "head:1"])
def test_a_start_that_never_returns_is_ended(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**options: Any) -> None:
        while True:
            time.sleep(0.01)

    fake(monkeypatch, init)
    monkeypatch.setattr(patience, "START_S", 0.1)
    monkeypatch.setattr(joining, "START_S", 0.1)
    monkeypatch.setattr(joining.ray_compat, "nodes_here", lambda: ["a node"])
    with pytest.raises(
        UsageError, match=r"did not start on this machine in 0.1 s|at 'head:1': there is no answer"
    ):
        start_ray(Request(num_cpus=1 if address is None else None, address=address))


def test_processes_of_a_start_that_failed_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def init(_temp_dir: str, **options: Any) -> None:
        code = "import sys, time, subprocess; subprocess.run(['sleep', '100'])"
        started.append(subprocess.Popen([sys.executable, "-c", code, f"--log_dir={_temp_dir}/session"]))
        while not psutil.Process(started[0].pid).children():
            pass
        started.extend(psutil.Process(started[0].pid).children())
        raise RuntimeError("no raylet")

    fake(monkeypatch, init)
    mine = subprocess.Popen(["sleep", "100"])
    with pytest.raises(UsageError, match="no raylet"):
        start_ray(Request(num_cpus=1))
    started[0].wait(10)
    psutil.wait_procs(started[1:], timeout=10)
    assert not started[1].is_running()
    assert mine.poll() is None
    mine.kill()
    mine.wait()


def test_the_secret_lives_with_its_ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = []
    fake(monkeypatch, lambda **_: secrets.append(os.environ["RAY_AUTH_TOKEN"]))
    for _ in range(2):
        start_ray(Request(num_cpus=1))
        stop_ray()
        assert "RAY_AUTH_TOKEN" not in os.environ
    assert len(set(secrets)) == 2
    assert all(len(secret) == 64 for secret in secrets)
    assert not (tmp_path / ".ray").exists()


def test_ray_listens_everywhere_again_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray._private import ray_constants

    monkeypatch.setattr(ray_constants, "ENABLE_RAY_CLUSTER", True)
    seen: list[bool] = []
    fake(monkeypatch, lambda **_: seen.append(ray_constants.ENABLE_RAY_CLUSTER))
    start_ray(Request(num_cpus=1))
    stop_ray()
    assert seen == [False]
    assert ray_constants.ENABLE_RAY_CLUSTER  # else no cluster could be made or joined any more


def test_a_secret_of_the_user_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    fake(monkeypatch, lambda **_: seen.append(os.environ.get("RAY_AUTH_TOKEN")))
    os.environ["RAY_AUTH_TOKEN"] = "mine"
    start_ray(Request(num_cpus=1))
    stop_ray()
    assert os.environ.pop("RAY_AUTH_TOKEN") == "mine"
    os.environ["RAY_AUTH_MODE"] = "disabled"
    start_ray(Request(num_cpus=1))
    stop_ray()
    assert seen == ["mine", None]
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH="/nowhere")
    with pytest.raises(
        UsageError, match=r"A token must be in /nowhere \(RAY_AUTH_TOKEN_PATH\), and there is none;"
    ):
        start_ray(Request(num_cpus=1))


def test_a_ray_of_the_caller_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake(monkeypatch, nothing)
    said = r"This process has joined a Ray already; leave it with ray.shutdown\(\)"
    with monkeypatch.context() as joined:
        joined.setattr(ray, "is_initialized", lambda: True)
        with pytest.raises(UsageError, match=said):
            start_ray(Request(num_cpus=1))
    assert not made.stopped


def test_a_broken_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        UsageError, match=r"Ray cannot be imported: .*; install it again with pip install 'ray\[tune"
    ):
        start_ray(Request(num_cpus=1))


def test_logs_stay_if_much_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake(monkeypatch, nothing)
    start_ray(Request(num_cpus=1), verbose=True)
    stop_ray()
    folder = Path(made.options["_temp_dir"]).parent
    assert folder.exists()
    shutil.rmtree(folder)


def test_what_raises_while_a_cluster_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.exceptions import AuthenticationError

    for error in (AuthenticationError("no token\nand more"), SystemExit(1), TimeoutError("late")):
        made = fake(monkeypatch, raises(error))
        with pytest.raises(UsageError, match=r"No Ray cluster can be joined at 'head:1': (no token|1|late)"):
            start_ray(Request(address="head:1"))
        assert made.stopped


def os_umask() -> int:
    """Returns the rights that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.ray
def test_a_real_one_is_private_and_leaves_nothing(tmp_path: Path) -> None:
    start_ray(Request(num_cpus=1, num_gpus=0))
    local = local_ray._current
    assert local is not None
    path, processes = local.folder.path, psutil.Process().children(recursive=True)
    try:
        assert path.stat().st_mode & 0o077 == 0
        assert list(local.folder.inner.glob("session_2*/sockets/raylet"))
        assert (
            ray.get(ray.remote(os_umask).remote()) == os_umask()
        )  # what workers write is as the user wants it
    finally:
        stop_ray()
    assert not path.exists()
    assert not psutil.wait_procs(processes, timeout=10)[1]
    assert not (tmp_path / ".ray").exists()
