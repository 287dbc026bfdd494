"""The address of a Ray cluster: where it comes from, and whether a cluster answers there that lets us in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from nas_ray.drivers import greeting, ray_compat, ray_names
from nas_ray.drivers.tokens import HOME_FILE, MODE, find_token, sends_token
from nas_ray.errors import UsageError, describe, printable

CLIENT = "ray://"
"""How an address of Ray Client begins."""
AUTO, LOCAL = "auto", "local"
VARIABLE = "RAY_ADDRESS"

_PATIENCE_S = 10.0
_HOST_PORT = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.%\w]+)\]|(?P<host>[^\s/\[\]]+)):(?P<port>\d{1,7})")


@dataclass(frozen=True)
class Address:
    """Where a cluster is to be joined.

    Attributes:
        value: what Ray is told: HOST:PORT, `auto` or ray://HOST:PORT.
        named: how the user knows it.
    """

    value: str
    named: str


def find_address(option: str | None) -> Address | None:
    """Returns the cluster to join: the option `--address`, else `RAY_ADDRESS`; None for this machine."""
    variable = (os.environ.get(VARIABLE) or "").strip() or None
    if option and option != AUTO:
        return None if option == LOCAL else Address(option, f"--address {option}")
    if variable is None:
        return Address(AUTO, f"--address {AUTO}") if option else None
    return None if variable == LOCAL else Address(variable, f"{VARIABLE}={variable}")  # as Ray does for auto


def check_address(address: Address) -> None:
    """Checks that the head of a Ray cluster answers at `address` and takes the token that Ray will send.

    Ray itself would try for minutes.

    Raises:
        UsageError: nothing or something else answers, the token is missing or wrong, or it is no address.
    """
    found_locally = address.value == AUTO
    value, named = _current(address) if found_locally else (address.value, address.named)
    host, port = _parsed(value, named)
    token, place = find_token()
    sent = sends_token(found_locally=found_locally)
    if sent and token is None:
        raise UsageError(
            f"{MODE}=token needs a token, and there is none in {place}; copy that of the cluster's head, or "
            "unset the variable for a cluster without one."
        )
    call = ray_names.CLIENT_CALL if value.startswith(CLIENT) else ray_names.HEAD_CALL
    try:
        answer = greeting.greet(host, port, call, token if sent else None, patience_s=_PATIENCE_S)
    except (OSError, UnicodeError) as error:
        raise UsageError(_nothing(named, port, error)) from error
    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):  # else it waits for another greeting
        _check_answer(answer, named, place if sent else None)


def check_early(address: Address) -> None:
    """Checks what `check_address` does as far as that needs no import of Ray.

    Raises:
        UsageError: as there.
    """
    if address.value != AUTO:
        check_address(address)
    elif not (temporary_folder() / ray_names.CURRENT_CLUSTER).exists() and not ray_compat.any_node_runs():
        raise UsageError(_no_cluster(address.named))


def _check_answer(answer: greeting.Answer, named: str, place: str | None) -> None:
    if answer.http2 is None:
        raise UsageError(
            f"What listens at {named} says nothing for {_PATIENCE_S:g} s; is the cluster up, and the port "
            "right?"
        )
    if answer.status == greeting.UNAUTHENTICATED:
        raise UsageError(refused_token(named) if place else _wanted_token(named))
    if not answer.http2 or answer.status == greeting.UNIMPLEMENTED:
        raise UsageError(f"Something else than a Ray cluster answers at {named}; is the port right?")


def _nothing(named: str, port: int, error: OSError | UnicodeError) -> str:
    if isinstance(error, TimeoutError):
        return (
            f"Nothing answers at {named} for {_PATIENCE_S:g} s; is the cluster up, and does every firewall "
            f"between let port {port} through?"
        )
    return f"Nothing answers at {named}: {error}; is the cluster up?"


def _wanted_token(named: str) -> str:
    token, there = find_token()
    which = f"with the token of its head in {HOME_FILE}" if token is None else f"which sends that of {there}"
    return f"The cluster at {named} wants a token; set {MODE}=token, {which}."


def refused_token(named: str) -> str:
    """Returns the sentence about a cluster that takes another token than that which Ray sends."""
    return f"The cluster at {named} refuses the token of {find_token()[1]}; copy that of its head there."


def _parsed(value: str, named: str) -> tuple[str, int]:
    """Returns host and port."""
    parts = _HOST_PORT.fullmatch(value.removeprefix(CLIENT))
    if parts is None or not 1 <= int(parts["port"]) <= 65535:
        shown = printable([named])[0]
        raise UsageError(
            f"An address must be HOST:PORT with a port up to 65535, {AUTO}, {LOCAL} or {CLIENT}HOST:PORT, "
            f"got {shown}."
        )
    return parts["six"] or parts["host"], int(parts["port"])


def _current(address: Address) -> tuple[str, str]:
    """Returns what Ray takes for `auto`, and how to name it: a running node's head, else what a file says."""
    path = temporary_folder() / ray_names.CURRENT_CLUSTER
    named = f"{address.named} ({path})"
    running = ray_compat.heads_here()
    try:
        kept = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        kept = ""
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{named} must say where the cluster is, but cannot be read ({describe(error)}); remove it, or "
            "give HOST:PORT."
        ) from error
    if running and not (kept and len(running) > 1):
        return running[0], f"{address.named} ({running[0]})"
    if not kept:
        raise UsageError(_no_cluster(address.named))
    return kept, f"{address.named} ({printable([kept])[0]}, from {path})"


def _no_cluster(named: str) -> str:
    return (
        f"No Ray cluster runs on this machine, which {named} needs; start one with ray start --head, give "
        "HOST:PORT, or leave the address out."
    )


def temporary_folder() -> Path:
    """Returns the folder below which Ray keeps its files."""
    return Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp")
