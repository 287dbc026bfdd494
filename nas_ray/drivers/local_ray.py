"""Ray for this machine alone: in a private folder, with a secret of its own, and gone afterwards."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from nas_ray.drivers import patience, ray_compat, ray_names
from nas_ray.drivers.private_folder import PrivateFolder, sweep
from nas_ray.drivers.process_limits import check_limits, object_store_bytes
from nas_ray.drivers.tokens import MODE, PATH, VALUE, find_token
from nas_ray.errors import UsageError
from nas_ray.process.interrupts import handle_again

LIMITS = "see that its limits (ulimit -a), memory and the room for temporary files suffice."
"""What to do where Ray does not start."""
PATIENCE_S = 120.0
"""How long the first worker may take to come up."""
MOST_DEATHS = 4
"""Workers that may die before the first one is up."""
END_S = 5.0
"""How long Ray's processes may take to end before they are killed."""

_PREFIX = re.compile(r"^\[[^\]]*\]\s*")  # of a line in a log
_POLL_S = 0.5


class LocalRay:
    """What was started beside this process, to be ended with it."""

    def __init__(self, *, keep_logs: bool, warm: bool = False) -> None:
        self._keep_logs = keep_logs
        self.folder = PrivateFolder()
        self._settings = {**ray_compat.OF_LOCAL_RAY, **(ray_compat.warm_workers() if warm else {})}
        self._before = {name: os.environ.get(name) for name in (MODE, VALUE, *self._settings)}
        self._processes: list[psutil.Process] = []
        self._asked: Any = None
        self._everywhere: bool | None = None  # whether Ray listened on all interfaces before

    def start(self, cpus: int, gpus: int, **options: Any) -> None:
        """Starts Ray and asks for a worker, without waiting for it."""
        import ray

        os.environ.update(self._settings)
        self._have_secret()
        self._everywhere = ray_compat.listen_everywhere(False)
        said = f"Ray did not start on this machine in {patience.START_S:g} s; {LIMITS}"
        with (
            patience.patience(patience.START_S, said, self.remove),
            ray_compat.few_processes(logs=bool(options.get("log_to_driver"))),
        ):
            ray.init(
                address="local",
                num_cpus=cpus,
                num_gpus=gpus,
                include_dashboard=False,
                object_store_memory=object_store_bytes(),
                **ray_compat.places(self.folder.inner, self.folder.spill),
                **options,
            )
        # Of one alone, as Ray starts other workers for actors; so what trials need is not for this one.
        self._asked = ray.remote(max_retries=0)(_answering(ray_compat.WARM_MODULE)).remote()

    def await_worker(self) -> None:
        """Waits for the first worker.

        Raises:
            UsageError: none comes up.
        """
        _await_worker(self._asked, self.folder.inner)

    def note_processes(self) -> None:
        """Notes which processes belong to this Ray; after its end they cannot be told."""
        name = str(self.folder.path)
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    if any(name in word for word in child.cmdline()):
                        self._processes += [child, *child.children(recursive=True)]

    def remove(self) -> None:
        """Ends what is still there, after Ray was shut down, and removes its folder."""
        self.note_processes()
        for process in self._processes:  # a Ray that came up half way was not asked to end
            with contextlib.suppress(psutil.Error):
                process.terminate()
        for process in psutil.wait_procs(self._processes, timeout=END_S)[1]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.folder.remove(keep_logs=self._keep_logs)
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if self._everywhere is not None:
            ray_compat.listen_everywhere(self._everywhere)
        ray_compat.read_secret_again()

    def _have_secret(self) -> None:
        """Makes a secret for this Ray if the user has none, so that Ray leaves none in the home folder."""
        mode = os.environ.get(MODE)
        token, place = find_token()
        if token is not None or (mode is not None and mode.lower() != "token"):
            return
        if os.environ.get(PATH):
            raise UsageError(f"A token must be in {place}, and there is none; make it or unset the variable.")
        os.environ[VALUE] = secrets.token_hex(32)
        ray_compat.read_secret_again()


_current: LocalRay | None = None


def is_local() -> bool:
    """Returns whether the Ray of this process is one that `start_local` started."""
    return _current is not None


def start_local(
    cpus: int, gpus: int, *, keep_logs: bool, wait: bool = True, warm: bool = False, **options: Any
) -> None:
    """Starts Ray for this process alone; `stop_local` ends it, at the latest with the process.

    Args:
        cpus: cores that Ray may use.
        gpus: GPUs that Ray may use.
        keep_logs: whether Ray's folder stays.
        wait: whether to wait for a worker; else `await_worker` does.
        warm: whether idle workers import what trials of a search need.
        options: other arguments of `ray.init`.

    Raises:
        UsageError: a limit of this process is too low, there is no place for Ray's files, or no worker comes
            up.
    """
    global _current
    check_limits(cpus)
    sweep()
    if _current is None:
        atexit.register(stop_local)
    else:  # its Ray was ended without us
        stop_local()
    _current = LocalRay(keep_logs=keep_logs, warm=warm)
    _current.start(cpus, gpus, **options)
    if wait:
        _current.await_worker()


def await_worker() -> None:
    """Waits for the first worker of the Ray that `start_local` started, as that one would."""
    if _current is not None:
        _current.await_worker()


def stop_local() -> None:
    """Ends Ray, and what `start_local` started with it."""
    global _current
    import ray

    local, _current = _current, None
    if local is not None:
        local.note_processes()
    try:
        ray.shutdown()
    finally:
        if local is not None:
            local.remove()


def _answering(warm: str) -> Callable[[], None]:
    """Returns what a worker is asked; it goes there by value, so that the worker imports nothing for it."""

    def answer() -> None:
        if warm in sys.modules:
            sys.modules[warm].busy.set()

    return answer


def _await_worker(asked: Any, folder: Path) -> None:
    """Waits until a worker has done what it was asked."""
    import ray

    deadline = time.monotonic() + PATIENCE_S
    while not ray.wait([asked], timeout=_POLL_S)[0]:
        deaths = _deaths(folder)
        if len(deaths) >= MOST_DEATHS or time.monotonic() > deadline:
            why = next((reason for reason in deaths if reason), "")
            what = (
                f"its workers die at their start{f' ({why})' if why else ''}"
                if deaths
                else f"no worker came up in {PATIENCE_S:g} s"
            )
            raise UsageError(f"Ray cannot work on this machine: {what}; {LIMITS}")
    ray.get(asked)


def _deaths(folder: Path) -> list[str]:
    """Returns what workers that are gone had to say, as their logs name the processes."""
    gone = []
    for log in folder.glob(ray_names.WORKER_LOGS):
        number = log.stem.rpartition("-")[2]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            with contextlib.suppress(OSError):
                gone.append(_reason(log.read_text(errors="replace")))
    return gone


def _reason(text: str) -> str:
    """Returns the line that says why a worker ended."""
    lines = [_PREFIX.sub("", line).strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        return lines[-1][:200]
    return lines[0][:200] if lines else ""


def stop_ray() -> None:
    """Ends Ray's processes and removes its folder, if Ray was started, or leaves the cluster."""
    if "ray" in sys.modules:
        stop_local()
        handle_again()
