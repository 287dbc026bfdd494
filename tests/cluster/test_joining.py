"""A real head with a token: what a driver says that has none, another one, or the right one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from perf.local_cluster import ROOT, SEARCH

pytestmark = [pytest.mark.ray, pytest.mark.cluster]
TOKEN = "5" * 64


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def head() -> Iterator[str]:
    """The address of a head with one core, started as docs/cluster.md says."""
    folder, port = tempfile.mkdtemp(prefix="h-"), free_port()
    ray = Path(sys.executable).with_name("ray")
    options = ("--head", f"--port={port}", "--num-cpus=1", "--include-dashboard=false", "--block")
    ports = ("--min-worker-port=0", "--max-worker-port=0")
    process = subprocess.Popen(
        [str(ray), "start", *options, *ports, f"--temp-dir={folder}", "--disable-usage-stats"],
        env={**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not answers(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def driver(address: str, out: Path, **token: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    words = [
        "search",
        "random_search",
        "--address",
        address,
        *SEARCH,
        "--num-samples",
        "1",
        "--out",
        str(out),
    ]
    return subprocess.run(
        [sys.executable, "-m", "nas_ray", *words],
        env={**environment, "HOME": str(out.parent), "PYTHONPATH": str(ROOT), **token},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_tokens_that_do_not_fit_are_told_in_a_line_and_one_that_does_says_nothing(
    head: str, tmp_path: Path
) -> None:
    out, token = tmp_path / "run", {"RAY_AUTH_MODE": "token"}
    began = time.monotonic()
    for given, said in {
        "": "wants a token; set RAY_AUTH_MODE=token, with the token of its head in ~/.ray/auth_token.",
        "other": "refuses the token of RAY_AUTH_TOKEN; copy that of its head there.",
    }.items():
        ended = driver(head, out, **({**token, "RAY_AUTH_TOKEN": given} if given else {}))
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == f"error: The cluster at --address {head} {said}\n"
    assert time.monotonic() - began < 60
    assert not out.exists()
    ended = driver(head, out, **token, RAY_AUTH_TOKEN=TOKEN)
    assert ended.returncode == 0, ended.stderr
    assert "[20" not in ended.stderr, "no raw line of Ray's"
    assert (out / "results.parquet").exists()


def test_a_head_that_goes_while_it_is_joined_is_told_in_a_line(tmp_path: Path) -> None:
    """The server greets once, as a head does, and is gone when Ray asks."""
    port = free_port()
    code = f"""
import socket, threading
from nas_ray.drivers import ray_compat, resources
from nas_ray.errors import UsageError
from nas_ray.terminal.cli import reported_errors

server = socket.create_server(("127.0.0.1", {port}))

def serve():
    with server.accept()[0] as connection:
        connection.recv(10_000)
        connection.sendall(b"\\0\\0\\0\\4\\0\\0\\0\\0\\0\\0\\0\\x30\\1\\5\\0\\0\\0\\1\\x88@\\x0bgrpc-status\\x010")
    server.close()

threading.Thread(target=serve).start()
ray_compat.nodes_here = lambda: ["a node"]
request = resources.Request(address="127.0.0.1:{port}")
with reported_errors():
    resources.check_request(request)
    resources.start_ray(request)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: Nothing answers at 127.0.0.1:{port}: [Errno 111] Connection refused; is the cluster up?\n"
    )
