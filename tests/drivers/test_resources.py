from __future__ import annotations

import socket
import threading

import pytest

from nas_ray.drivers.joining import connect, told_by
from nas_ray.drivers.resources import (
    Plan,
    Request,
    check_request,
    cluster_address,
    make_plan,
)
from nas_ray.errors import UsageError


def plan(cpus: int, gpus: float, **request: object) -> Plan:
    return make_plan(Request(**request), cpus, gpus, "this machine")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cpus", "gpus", "request_", "concurrent", "share"),
    [
        (2, 0, {}, 2, 0),
        (8, 0, {"num_cpus": 3}, 3, 0),
        (8, 0, {"max_concurrent": 5}, 5, 0),
        (8, 0, {"max_concurrent": 50}, 8, 0),
        (16, 1, {}, 4, 0.25),
        (2, 1, {}, 2, 0.25),
        (16, 4, {"gpus_per_trial": 1 / 3}, 12, 1 / 3),
        (16, 4, {"gpus_per_trial": 2.0}, 2, 2),
        (16, 4, {"num_gpus": 2, "gpus_per_trial": 0.5}, 4, 0.5),
        (16, 4, {"num_gpus": 0}, 16, 0),
        (16, 4, {"gpus_per_trial": 0.0}, 16, 0),
    ],
)
def test_plans(cpus: int, gpus: float, request_: dict[str, object], concurrent: int, share: float) -> None:
    made = plan(cpus, gpus, **request_)
    assert (made.max_concurrent, made.gpus_per_trial) == (concurrent, share)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"num_gpus": 8},
            "--num-gpus 8 was asked for, but this machine has 1 GPUs; lower it, or give --address of a "
            "cluster that has them (--wait-for-gpus SECONDS, if they come later).",
        ),
        (
            {"gpus_per_trial": 2.0},
            "--gpus-per-trial 2 does not fit into the 1 GPUs that the search may use.",
        ),
        (
            {"num_gpus": 0, "gpus_per_trial": 0.5},
            "--gpus-per-trial 0.5 does not fit into the 0 GPUs that the search may use.",
        ),
        ({"num_cpus": 1_000}, "--num-cpus must be from 1 to 32, as this machine has 8 CPU cores, got 1000."),
    ],
)
def test_what_does_not_fit(request_: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(8, 1, **request_)
    assert str(caught.value) == message


def test_a_few_more_processes_than_cores_are_planned() -> None:
    assert plan(1, 0, num_cpus=2).max_concurrent == 2
    assert plan(2, 0, num_cpus=8).max_concurrent == 8
    growing = plan(2, 0, num_cpus=64, wait_for_gpus=9.0, address="head:6379")
    assert growing.max_concurrent == 64
    for options in ({"wait_for_gpus": 9.0, "address": "local"}, {"address": "head:6379"}):
        with pytest.raises(UsageError, match="--num-cpus must be from 1 to 8"):
            plan(2, 0, num_cpus=64, **options)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(num_cpus=0), "--num-cpus must be from 1 to 1,000,000, got 0."),
        (Request(max_concurrent=0), "--max-concurrent must be from 1 to 1,000,000, got 0."),
        (Request(wait_for_gpus=-1.0), "--wait-for-gpus must be from 0 to 1,000,000,000, got -1.0."),
        (Request(num_gpus=-1), "--num-gpus must be from 0 to 1,000,000, got -1."),
        (
            Request(address="ray://head:10001"),
            "--address must be HOST:PORT or auto here, got ray://head:10001: only searches and two_stage.py "
            "run over Ray Client; use ray job submit instead (docs/cluster.md).",
        ),
        (
            Request(gpus_per_trial=-0.5),
            "--gpus-per-trial must be a fraction up to 1 or a whole number, got -0.5.",
        ),
        (
            Request(gpus_per_trial=1.5),
            "--gpus-per-trial must be a fraction up to 1 or a whole number, got 1.5.",
        ),
        (
            Request(gpus_per_trial=float("nan")),
            "--gpus-per-trial must be a fraction up to 1 or a whole number, got nan.",
        ),
    ],
)
def test_numbers_out_of_range(request_: Request, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_request(request_)
    assert str(caught.value) == message


def test_address_comes_from_the_option_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert cluster_address(Request()) is None
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert cluster_address(Request()) == "head:6379"
    assert cluster_address(Request(address="other:6379")) == "other:6379"
    assert cluster_address(Request(address="local")) is None


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "Failed:\nTraceback (most recent call last):\n  File x\nRuntimeError: no\n",
            "Failed: RuntimeError: no",
        ),
        ("one line", "one line"),
        ("the first\nthe second", "the first"),
        ("", "ConnectionError"),
    ],
)
def test_what_ray_says_is_told_in_one_line(message: str, told: str) -> None:
    assert told_by(ConnectionError(message)) == told


@pytest.mark.parametrize("answer", [b"HTTP/1.0 400 Bad Request\r\n", b""])
def test_what_is_no_cluster_is_said_at_once(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as connection:
                connection.recv(100)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UsageError) as caught:
            check_request(Request(address=address))
        thread.join()
    assert str(caught.value) == (
        f"Something else than a Ray cluster answers at --address {address}; is the port right?"
    )


@pytest.mark.parametrize(("failures", "joined"), [(4, True), (5, False)])
def test_ray_client_is_asked_again_where_its_server_died(
    failures: int, joined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    told = ["Initialization failure from server:\n..."] * failures

    def init(**options: object) -> None:
        if told:
            raise ConnectionAbortedError(told.pop())

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    if joined:
        connect("ray://a:1", {})
    else:
        with pytest.raises(ConnectionAbortedError):
            connect("ray://a:1", {})
    assert not told


def test_a_port_is_a_number() -> None:
    with pytest.raises(UsageError, match=r"HOST:PORT with a port up to 65535, .*, got --address 127.0.0.1:"):
        check_request(Request(address="127.0.0.1:\u00b2"))  # isdigit, and no number


def test_a_cluster_that_does_not_answer_is_said_at_once() -> None:
    with pytest.raises(
        UsageError, match=r"Nothing answers at --address 127.0.0.1:1: .*; is the cluster up\?"
    ):
        check_request(Request(address="127.0.0.1:1"))
    with pytest.raises(UsageError, match=r"Nothing answers at --address ray://127.0.0.1:1: .*; is the"):
        check_request(Request(address="ray://127.0.0.1:1", client=True))
