from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from nas_ray.drivers import addresses, ray_compat
from nas_ray.drivers.addresses import Address, check_address, check_early, find_address
from nas_ray.drivers.greeting import Answer
from nas_ray.drivers.ray_names import CLIENT_CALL, HEAD_CALL
from nas_ray.errors import UsageError

greeted: list[tuple[object, ...]] = []


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cluster, no token, and no server that is really asked."""
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_USE_TLS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(addresses.ray_compat, "heads_here", list)
    greeted.clear()


def answers(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    def greet(
        host: str, port: int, call: tuple[str, bytes], token: str | None, *, patience_s: float
    ) -> Answer:
        greeted.append((host, port, call, token))
        return answer

    monkeypatch.setattr(addresses.greeting, "greet", greet)


def current_cluster(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "ray" / "ray_current_cluster"
    file.parent.mkdir()
    file.write_bytes(content)
    return file


def refusal(address: str | None) -> str:
    found = find_address(address)
    assert found is not None
    with pytest.raises(UsageError) as caught:
        check_address(found)
    return str(caught.value)


@pytest.mark.parametrize(
    ("option", "variable", "found"),
    [
        (None, None, None),
        (None, "", None),
        (None, "local", None),
        ("local", "head:1", None),
        (None, "head:1", Address("head:1", "RAY_ADDRESS=head:1")),
        ("other:2", "head:1", Address("other:2", "--address other:2")),
        ("auto", None, Address("auto", "--address auto")),
        ("auto", "head:1", Address("head:1", "RAY_ADDRESS=head:1")),  # as Ray does
        (None, "auto", Address("auto", "RAY_ADDRESS=auto")),
    ],
)
def test_where_the_address_comes_from(
    option: str | None, variable: str | None, found: Address | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable is not None:
        monkeypatch.setenv("RAY_ADDRESS", variable)
    assert find_address(option) == found


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "head:",
        ":6379",
        "head:port",
        "head:0",
        "head:65536",
        "head:99999999999",
        "http://head:8265",
        " ",
    ],
)
def test_what_is_no_address(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Answer(True, 0))
    assert refusal(text) == (
        "An address must be HOST:PORT with a port up to 65535, auto, local or ray://HOST:PORT, got --address "
        f"{text}."
    )
    assert not greeted


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("head:6379", ("head", 6379, HEAD_CALL, None)),
        ("[::1]:6379", ("::1", 6379, HEAD_CALL, None)),
        ("ray://head:10001", ("head", 10001, CLIENT_CALL, None)),
    ],
)
def test_what_is_asked(text: str, asked: tuple[object, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Answer(True, 0))
    check_address(Address(text, text))
    assert [asked] == greeted


def test_nobody_or_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal("host.invalid:6379").startswith("Nothing answers at --address host.invalid:6379: [Errno")
    other = "Something else than a Ray cluster answers at --address head:1; is the port right?"
    for answer in (Answer(False), Answer(True, 12)):  # the latter is a server of gRPC, but no head
        answers(monkeypatch, answer)
        assert refusal("head:1") == other
    answers(monkeypatch, Answer(None))
    assert refusal("head:1") == (
        "What listens at --address head:1 says nothing for 10 s; is the cluster up, and the port right?"
    )
    monkeypatch.setenv("RAY_USE_TLS", "1")  # which begins with another greeting
    check_address(Address("head:1", "head:1"))


def test_a_firewall(monkeypatch: pytest.MonkeyPatch) -> None:
    def greet(*_: object, **__: object) -> Answer:
        raise TimeoutError("timed out")

    monkeypatch.setattr(addresses.greeting, "greet", greet)
    assert refusal("head:6379") == (
        "Nothing answers at --address head:6379 for 10 s; is the cluster up, and does every firewall between "
        "let port 6379 through?"
    )


def test_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers(monkeypatch, Answer(True, 16))
    assert refusal("head:1") == (
        "The cluster at --address head:1 wants a token; set RAY_AUTH_MODE=token, with the token of its head "
        "in ~/.ray/auth_token."
    )
    with monkeypatch.context() as mine:
        mine.setenv("RAY_AUTH_TOKEN", "mine")
        assert refusal("head:1") == (
            "The cluster at --address head:1 wants a token; set RAY_AUTH_MODE=token, which sends that of "
            "RAY_AUTH_TOKEN."
        )
    greeted.clear()
    monkeypatch.setenv("RAY_AUTH_MODE", "Token")
    assert refusal("head:1") == (
        "RAY_AUTH_MODE=token needs a token, and there is none in ~/.ray/auth_token; copy that of the "
        "cluster's head, or unset the variable for a cluster without one."
    )
    assert not greeted
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("secret\n")
    assert refusal("head:1") == (
        "The cluster at --address head:1 refuses the token of ~/.ray/auth_token; copy that of its head there."
    )
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/nowhere")
    assert "there is none in /nowhere (RAY_AUTH_TOKEN_PATH)" in refusal("head:1")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "other")
    assert "refuses the token of RAY_AUTH_TOKEN" in refusal("head:1")
    assert [token for *_, token in greeted] == ["secret", "other"]


def test_auto_without_a_cluster() -> None:
    assert refusal("auto") == (
        "No Ray cluster runs on this machine, which --address auto needs; start one with ray start --head, "
        "give HOST:PORT, or leave the address out."
    )


def test_auto_without_a_cluster_is_told_without_ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(addresses.ray_compat, "heads_here", lambda: pytest.fail("it imports Ray"))
    auto = Address("auto", "--address auto")
    for runs in (True, False):
        monkeypatch.setattr(addresses.ray_compat, "any_node_runs", lambda runs=runs: runs)
        if runs:
            check_early(auto)  # Ray will tell which
            continue
        with pytest.raises(UsageError, match="^No Ray cluster runs on this machine, which --address auto"):
            check_early(auto)
    current_cluster(tmp_path, b"kept:1")
    check_early(auto)
    with pytest.raises(UsageError, match="^Nothing answers at --address host.invalid:6379"):
        check_early(Address("host.invalid:6379", "--address host.invalid:6379"))


def test_nodes_are_told_by_the_first_word_of_their_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[list[str] | None] = [None, [], ["python", "raylet"]]
    made = lambda attrs: [SimpleNamespace(info={"cmdline": one}) for one in words]  # noqa: E731
    monkeypatch.setattr("psutil.process_iter", made)
    assert not ray_compat.any_node_runs()
    words.append(["/x/ray/core/src/ray/raylet/raylet", "--node_id=1"])
    assert ray_compat.any_node_runs()


def test_auto_after_a_cluster_that_is_gone(tmp_path: Path) -> None:
    file = current_cluster(tmp_path, b"127.0.0.1:1\n")
    assert refusal("auto") == (
        f"Nothing answers at --address auto (127.0.0.1:1, from {file}): [Errno 111] Connection refused; is "
        "the cluster up?"
    )


def test_auto_with_garbage(tmp_path: Path) -> None:
    file = current_cluster(tmp_path, b"\xff\xfe garbage")
    assert refusal("auto").startswith(
        f"--address auto ({file}) must say where the cluster is, but cannot be read ("
    )
    file.write_bytes(b"two words")
    assert refusal("auto").startswith("An address must be HOST:PORT")
    file.write_bytes(b"")
    assert refusal("auto").startswith("No Ray cluster runs on this machine")


def test_auto_prefers_what_ray_prefers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current_cluster(tmp_path, b"kept:1")
    for running in ([], ["a:2"], ["a:2", "b:3"]):
        monkeypatch.setattr(addresses.ray_compat, "heads_here", lambda running=running: running)
        answers(monkeypatch, Answer(True, 0))
        check_address(Address("auto", "--address auto"))
    assert [host for host, *_ in greeted] == ["kept", "a", "kept"]


def test_auto_sends_a_token_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current_cluster(tmp_path, b"kept:1")
    answers(monkeypatch, Answer(True, 0))
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    check_address(Address("auto", "auto"))
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    check_address(Address("auto", "auto"))
    assert [token for *_, token in greeted] == ["secret", None]
