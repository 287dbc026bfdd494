"""How a process of an experiment ends."""

from __future__ import annotations

import ctypes
import errno
import io
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from nas_ray.drivers.lifecycle import TRACEBACK, Ending, command_again, guarded
from nas_ray.errors import UsageError
from nas_ray.process.interrupts import INTERRUPTED, end_as_ctrl_c, handle_again, ignore_stopping
from nas_ray.runs.kept import lost
from tests.guards.commands import kept_signals


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    with kept_signals():
        yield


def ended(work: Callable[[], int], **options: object) -> tuple[int, str, list[str]]:
    """Returns exit code, what was printed, and the statuses that were left."""
    left: list[str] = []
    said = io.StringIO()
    ending = Ending("run", left.append, go_on=lambda: "python again.py", **options)  # type: ignore[arg-type]
    return guarded(work, ending, Console(file=said, width=200)), said.getvalue(), left


def failing(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_one(number: signal.Signals) -> None:
    def work() -> int:
        os.kill(os.getpid(), number)
        raise AssertionError

    code, said, left = ended(work, done=lambda: " after 3 runs", kept="nothing is lost")
    assert code == INTERRUPTED
    assert said == "\nInterrupted after 3 runs; nothing is lost. Continue with:\n  python again.py\n"
    assert left == ["interrupted"]
    assert signal.getsignal(number) is signal.SIG_IGN  # a second one does not cut the last lines short


def test_work_that_ends_says_nothing() -> None:
    assert ended(lambda: 1) == (1, "", [])


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "The run ended with OSError: [Errno 28] No space left on device; rows are in there; make room or "
            "mend that, then go on with python again.py.",
        ),
        (MemoryError(), "The run ended with out of memory; rows are in there."),
        (KeyError("x"), "The run ended with KeyError: 'x'; rows are in there."),
    ],
)
def test_any_error_is_a_sentence(error: Exception, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRACEBACK, raising=False)
    with pytest.raises(UsageError) as caught:
        ended(failing(error), where=lambda: "rows are in there")
    assert str(caught.value) == f"{says} {TRACEBACK}=1 in the environment shows where it came from."
    with pytest.raises(UsageError, match="--verbose shows where it came from"):
        ended(failing(error), verbose=False)
    with pytest.raises(type(error)):
        ended(failing(error), verbose=True)
    monkeypatch.setenv(TRACEBACK, "1")
    with pytest.raises(type(error)):
        ended(failing(error))


def test_what_cannot_be_left_does_not_hide_what_happened() -> None:
    def full(status: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UsageError, match="Mend this"):
        guarded(failing(UsageError("Mend this.")), Ending("run", full), Console(file=io.StringIO()))


def test_what_others_ignore_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    end_as_ctrl_c()
    ignore_stopping()
    end_as_ctrl_c()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert callable(signal.getsignal(signal.SIGTERM))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_sets_no_handlers() -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(ended(lambda: 0)[0]))
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["a.py"], "python a.py --out 'runs/a b'"),
        (["a.py", "--out", "x[/y]"], "python a.py --out 'x[/y]'"),
        (["a.py", "--out=x"], "python a.py --out=x"),
    ],
)
def test_the_command_that_goes_on(words: list[str], command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", words)
    assert command_again("runs/a b") == command


@pytest.mark.parametrize("error", [KeyboardInterrupt(), KeyError("x")])
def test_what_was_removed_is_not_said_to_be_kept(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TRACEBACK, raising=False)
    run = tmp_path / "run"
    run.mkdir()

    def work() -> int:
        run.rmdir()
        raise error

    gone = f"the folder {run} was removed meanwhile, and what was done with it."
    options = {"kept": "nothing is lost", "where": lambda: "rows are in there", "lost": lambda: lost(run)}
    if isinstance(error, KeyboardInterrupt):
        assert ended(work, **options)[1].replace("\n", " ") == f" Interrupted; {gone} "
    else:
        with pytest.raises(UsageError) as caught:
            ended(work, **options)
        assert str(caught.value).startswith(f"The run ended with KeyError: 'x'; {gone} {TRACEBACK}=1")


def test_what_the_ending_itself_removes_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRACEBACK, raising=False)
    ending = Ending("run", lambda status: tmp_path.rmdir(), lost=lambda: lost(tmp_path))
    with pytest.raises(UsageError, match="The run ended with KeyError: 'x'. NAS_RAY_TRACEBACK=1"):
        guarded(failing(KeyError("x")), ending, Console(file=io.StringIO()))


def test_handlers_are_put_back_where_ray_took_them_out() -> None:
    """Ray's way of doing so goes past Python, as `libc.signal` does."""
    end_as_ctrl_c()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.signal(signal.SIGTERM, 0)
    handle_again()

    def work() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError

    assert ended(work)[0] == INTERRUPTED
    libc.signal(signal.SIGTERM, 0)
    handle_again()
    os.kill(os.getpid(), signal.SIGTERM)  # is ignored, as after any interruption


def test_ray_is_stopped_when_all_is_written_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr("nas_ray.drivers.lifecycle.stop_ray", lambda: order.append("stopped"))
    said = io.StringIO()
    ending = Ending("run", order.append, go_on=lambda: "python again.py")
    assert guarded(failing(KeyboardInterrupt()), ending, Console(file=said)) == INTERRUPTED
    assert order == ["interrupted", "stopped"]
