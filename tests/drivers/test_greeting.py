from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from nas_ray.drivers.greeting import Answer, greet
from nas_ray.drivers.ray_names import CLIENT_CALL, HEAD_CALL

SETTINGS = b"\0\0\0\4\0\0\0\0\0"


@contextlib.contextmanager
def server(*pieces: bytes, hangs: bool = False) -> Iterator[int]:
    """A port whose server answers one connection with `pieces` and hangs up, or goes on listening."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                received.append(connection.recv(10_000))
                for piece in pieces:
                    connection.sendall(piece)
                    done.wait(0.02)
                if hangs:
                    done.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        done.set()
        thread.join()


received: list[bytes] = []


def status(code: str) -> bytes:
    return b"\0\0\x30\1\5\0\0\0\1\x88@\x0bgrpc-status" + bytes([len(code)]) + code.encode()


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ([SETTINGS + status("0")], Answer(True, 0)),
        ([SETTINGS[:2], SETTINGS[2:], status("16")[:-1], b"6"], Answer(True, 16)),
        ([SETTINGS], Answer(True)),
        ([b"HTTP/1.0 400 Bad Request\r\n"], Answer(False)),
        ([b"x"], Answer(False)),
        ([], Answer(False)),
    ],
)
def test_what_comes_back(pieces: list[bytes], answer: Answer) -> None:
    with server(*pieces) as port:
        assert greet("127.0.0.1", port, HEAD_CALL, None, patience_s=5) == answer


@pytest.mark.parametrize(("pieces", "http2"), [([], None), ([SETTINGS], True)])
def test_silence_is_not_waited_out(pieces: list[bytes], http2: bool | None) -> None:
    with server(*pieces, hangs=True) as port:
        assert greet("127.0.0.1", port, HEAD_CALL, None, patience_s=0.2) == Answer(http2)


def test_a_grpc_server_understands_it() -> None:
    grpc = pytest.importorskip("grpc")
    from concurrent.futures import ThreadPoolExecutor

    class Door(grpc.ServerInterceptor):  # type: ignore[misc,name-defined]
        def intercept_service(self, continuation, details):  # type: ignore[no-untyped-def]
            seen.append((details.method, dict(details.invocation_metadata).get("authorization")))

            def refuse(request: object, context: object) -> None:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")  # type: ignore[attr-defined]

            return grpc.unary_unary_rpc_method_handler(refuse)

    seen: list[tuple[str, str | None]] = []
    tokens = [None, *("a" * length for length in (1, 119, 120, 121, 247, 248, 249, 2000))]
    made = grpc.server(ThreadPoolExecutor(1), interceptors=[Door()])
    port = made.add_insecure_port("127.0.0.1:0")
    made.start()
    try:
        for token in tokens:
            assert greet("127.0.0.1", port, HEAD_CALL, token, patience_s=10) == Answer(True, 16)
    finally:
        made.stop(None)
    assert seen == [(HEAD_CALL[0], token and f"Bearer {token}") for token in tokens]


def test_the_ping_of_ray_client() -> None:
    messages = pytest.importorskip("ray.core.generated.ray_client_pb2")
    ping = messages.ClusterInfoRequest(type=messages.ClusterInfoType.PING)
    assert CLIENT_CALL[1] == ping.SerializeToString()
