"""Asks what answers at an address, and whether it wants another token, before Ray tries for minutes.

A gRPC call by hand, as Ray need not come with a gRPC library for Python.
Source: RFC 9113, sections 3.4 and 4.1; RFC 7541, sections 5 and 6.2.2; "gRPC over HTTP2".
"""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass

OK, UNIMPLEMENTED, UNAUTHENTICATED = 0, 12, 16

_DATA, _HEADERS, _SETTINGS = 0, 1, 4  # types of frames
_END_STREAM, _END_HEADERS = 1, 4  # flags
_STATUS = re.compile(rb"grpc-status([\x01-\x03])(\d+)", re.DOTALL)
_MOST_BYTES = 65536


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        http2: whether it speaks HTTP/2, as gRPC does; None for silence.
        status: of the call, as gRPC counts; None if there was none.
    """

    http2: bool | None
    status: int | None = None


def greet(host: str, port: int, call: tuple[str, bytes], token: str | None, *, patience_s: float) -> Answer:
    """Returns what `host` answers to a call of gRPC.

    Args:
        host: a name or an address.
        port: of TCP.
        call: path of the method, and its message.
        token: sent along, if not None.
        patience_s: seconds for the connection, and again for the answer.

    Raises:
        OSError: no connection.
    """
    with socket.create_connection((host, port), timeout=patience_s) as connection:
        try:
            connection.sendall(_request(f"{host}:{port}", call, token))
            return _answer(connection, time.monotonic() + patience_s)
        except OSError:  # it hung up
            return Answer(False)


def _answer(connection: socket.socket, deadline: float) -> Answer:
    got = b""
    while len(got) < _MOST_BYTES:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = connection.recv(4096)
        except TimeoutError:
            return Answer(True if len(got) > 3 else None)
        got += piece
        if len(got) <= 3 and piece:
            continue
        if got[3:4] != bytes([_SETTINGS]):  # with which HTTP/2 begins
            return Answer(False)
        found = _STATUS.search(got)
        if found and len(found[2]) >= found[1][0]:
            return Answer(True, int(found[2][: found[1][0]]))
        if not piece:
            break
    return Answer(True)


def _request(authority: str, call: tuple[str, bytes], token: str | None) -> bytes:
    path, message = call
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
    }
    if token is not None:
        fields["authorization"] = f"Bearer {token}"
    headers = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields.items())
    return (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + _frame(_SETTINGS, 0, 0, b"")
        + _frame(_HEADERS, _END_HEADERS, 1, headers)
        + _frame(_DATA, _END_STREAM, 1, b"\0" + len(message).to_bytes(4, "big") + message)
    )


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def _text(text: str) -> bytes:
    """Returns a string of HPACK, its length in 7 bits and then 7 bits a byte."""
    content = text.encode()
    if len(content) < 127:
        return bytes([len(content)]) + content
    rest, length = len(content) - 127, bytearray([127])
    while rest >= 128:
        length.append(rest % 128 + 128)
        rest //= 128
    length.append(rest)
    return bytes(length) + content
