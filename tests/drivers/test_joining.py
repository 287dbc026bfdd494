"""A cluster that cannot be joined is told in one sentence, with the line that matters."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
import ray

from nas_ray.drivers import joining, patience, ray_compat
from nas_ray.drivers.joining import connect
from nas_ray.errors import UsageError
from tests.drivers.test_raw_lines import GONE, RAW

VERSIONS = (
    "Version mismatch: The cluster was started with:\n    Ray: 2.58.0\n    Python: 3.11.5\n"
    "This process on node 10.0.0.2 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
)
NO_NODE = (
    "This machine is no node of the cluster at head:1, as a driver must be; run the command on one, make it "
    "one with ray start --address head:1, or join by Ray Client (ray://HOST:10001)."
)


@pytest.fixture(autouse=True)
def a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_compat, "nodes_here", lambda: ["a node"])
    monkeypatch.setattr(joining, "_NODE_S", 0.0)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "mine")


def joined(monkeypatch: pytest.MonkeyPatch, raised: Exception | None, address: str = "head:1") -> None:
    def init(**options: Any) -> None:
        os.write(2, RAW.encode())
        if raised is not None:
            raise raised

    monkeypatch.setattr(ray, "init", init)
    connect(address, {})


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            RuntimeError(VERSIONS),
            "The cluster at head:1 runs Ray 2.58.0 on Python 3.11.5, and this process Ray 2.60.0 on Python "
            "3.11.7, which must be equal; make them so with pip install 'ray[tune]==2.58.0'.",
        ),
        (
            RuntimeError(VERSIONS.replace("2.58.0", "2.60.0")),
            "The cluster at head:1 runs Ray 2.60.0 on Python 3.11.5, and this process Ray 2.60.0 on Python "
            "3.11.7, which must be equal; make them so with that Python.",
        ),
        (
            RuntimeError("InvalidAuthToken: Authentication token is missing or incorrect"),
            "The cluster at head:1 refuses the token of RAY_AUTH_TOKEN; copy that of its head there.",
        ),
        (RuntimeError("No node info found matching attributes: '' when trying to"), NO_NODE),
        (
            ConnectionError("ray client connection timeout"),
            f"No Ray cluster can be joined at 'head:1': ray client connection timeout ({GONE[:-1]})",
        ),
    ],
)
def test_what_ray_raises_becomes_a_sentence(
    raised: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        joined(monkeypatch, raised)
    assert str(caught.value) == said
    assert capfd.readouterr().err == ""


def test_over_ray_client_the_same_versions_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_compat, "nodes_here", list)  # which no driver over Ray Client need be
    with pytest.raises(UsageError, match=r"^The cluster at ray://head:1 runs Ray 2\.58\.0 on "):
        joined(monkeypatch, RuntimeError(VERSIONS), "ray://head:1")
    with pytest.raises(UsageError, match=r"\(Ray Client needs the cluster's versions of Python and Ray and"):
        joined(monkeypatch, RuntimeError("no"), "ray://head:1")


def test_a_cluster_that_is_joined_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    joined(monkeypatch, None)
    assert capfd.readouterr().err == ""
    connect("head:1", {"log_to_driver": True})
    assert capfd.readouterr().err == RAW


def test_a_machine_that_is_no_node_is_told_before_ray_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "init", lambda **options: pytest.fail("it would wait a minute"))
    monkeypatch.setattr(ray_compat, "nodes_here", list)
    with pytest.raises(UsageError) as caught:
        connect("head:1", {})
    assert str(caught.value) == NO_NODE
    monkeypatch.setattr(ray_compat, "nodes_here", lambda: None)  # a Ray that cannot be asked
    joined(monkeypatch, None)


def test_a_head_that_goes_meanwhile_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**options: Any) -> None:
        os.write(2, RAW.encode())
        while True:
            time.sleep(0.01)

    def check(address: Any) -> None:
        raise UsageError(f"Nothing answers at {address.named}: refused; is the cluster up?")

    monkeypatch.setattr(patience, "LOOK_S", 0.05)
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(joining, "check_address", check)
    began = time.monotonic()
    with pytest.raises(UsageError, match=r"^Nothing answers at head:1: refused; is the cluster up\?$"):
        connect("head:1", {})
    assert time.monotonic() - began < 30


def test_a_head_that_answers_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_S", 0.05)
    monkeypatch.setattr(joining, "START_S", 0.5)
    monkeypatch.setattr(joining, "check_address", lambda address: None)

    def init(**options: Any) -> None:
        os.write(2, RAW.encode())
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(UsageError, match=r"at 'head:1': there is no answer for 0\.5 s\.$"):
        connect("head:1", {})
