from __future__ import annotations

import resource

import pytest

from nas_ray.drivers import process_limits
from nas_ray.drivers.process_limits import GIB, check_limits, object_store_bytes
from nas_ray.errors import UsageError


def limited(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Lets the process have other limits than it has."""

    def getrlimit(which: int) -> tuple[int, int]:
        numbers = {getattr(resource, name): most for name, most in limits.items()}
        most = numbers.get(which, resource.RLIM_INFINITY)
        return most, most

    monkeypatch.setattr(resource, "getrlimit", getrlimit)


def refusal(cores: int = 2) -> str:
    with pytest.raises(UsageError) as caught:
        check_limits(cores)
    return str(caught.value)


def test_no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch)
    check_limits(64)
    assert object_store_bytes() is None  # Ray decides


def test_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, RLIMIT_NOFILE=64)
    assert refusal() == "Ray needs at least 128 open files, but the limit is 64; raise it (ulimit -n 8192)."


def test_threads_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, RLIMIT_NPROC=300)
    monkeypatch.setattr(process_limits, "_threads_of_user", lambda: 121)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    check_limits(1)
    assert refusal(2) == (
        "Ray needs about 180 threads on 2 cores, but 121 of the 300 that this user may have are taken; "
        "raise the limit (ulimit -u 8192) or lower --num-cpus."
    )
    monkeypatch.setattr("os.geteuid", lambda: 0)
    check_limits(2)


def test_threads_are_counted() -> None:
    assert process_limits._threads_of_user() >= 1


def test_address_space(monkeypatch: pytest.MonkeyPatch) -> None:
    has = process_limits.psutil.Process().memory_info().vms
    limited(monkeypatch, RLIMIT_AS=has + GIB // 2)
    assert refusal().startswith("Ray needs 1.5 GiB of address space beside what this process has, but 0.")
    monkeypatch.setattr(process_limits, "address_room", lambda: 3 * GIB + GIB // 2)
    check_limits(2)
    assert object_store_bytes() == GIB // 2
    monkeypatch.setattr(process_limits, "address_room", lambda: 2 * GIB)
    assert object_store_bytes() == GIB // 8
