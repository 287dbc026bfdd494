"""How an experiment runs as a process: it starts Ray, is guarded, and leaves its folder, whatever ends it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from nas_ray.drivers.early import started_early
from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.plan import PROCESS
from nas_ray.drivers.resources import Plan, Request, plan_here, start_ray
from nas_ray.errors import UsageError, describe
from nas_ray.process.interrupts import INTERRUPTED, end_as_ctrl_c, ignore_stopping
from nas_ray.process.started import again, started
from nas_ray.runs.kept import lost
from nas_ray.terminal.console import say

TRACEBACK = "NAS_RAY_TRACEBACK"
"""The variable that lets commands without `--verbose` show where an error came from."""


def nothing_more(status: str) -> None:
    """Leaves nothing beside what there is."""


@dataclass(frozen=True)
class Ending:
    """What an experiment leaves and says where it ends early.

    Attributes:
        noun: what ended, such as `search`.
        leave: writes what there is and the status, `interrupted` or `failed`; a full disk may stop it.
        done: how far it came, such as ` after 12 evaluations`.
        kept: what is not lost, after "Interrupted".
        where: what is where, after a failure, such as `they are kept in runs/a`.
        lost: the sentence about what was removed meanwhile, told in place of `kept` and `where`; else None.
        go_on: the command that goes on, None where there is none.
        verbose: whether errors come with their traceback; None where no option says so.
    """

    noun: str
    leave: Callable[[str], None] = nothing_more
    done: Callable[[], str] = str
    kept: str = "what is complete is kept"
    where: Callable[[], str] = str
    lost: Callable[[], str | None] = field(default=lambda: None)
    go_on: Callable[[], str | None] = field(default=lambda: None)
    verbose: bool | None = None


def guarded(work: Callable[[], int], ending: Ending, console: Console) -> int:
    """Returns the exit code of `work`, or of what ended it; Ray is stopped in any case.

    Ctrl-C, SIGTERM and SIGHUP are one: what there is is left, and the command that goes on is printed. Any
    other error becomes one sentence. Ray is stopped when all is written and said: for a moment of its stop a
    further SIGTERM ends the process, whatever Python was told.

    Raises:
        UsageError: bad input, or a failure.
    """
    end_as_ctrl_c()
    try:
        return work()
    except (KeyboardInterrupt, SystemExit):  # the latter is what Ray makes of SIGTERM while it starts
        ignore_stopping()
        lost = ending.lost()
        _leave(ending, "interrupted")
        _say_interrupted(ending, lost, console)
        return INTERRUPTED
    except UsageError:
        _leave(ending, "failed")
        raise
    except Exception as error:
        lost = ending.lost()
        _leave(ending, "failed")
        if ending.verbose or os.environ.get(TRACEBACK):
            raise
        raise UsageError(_sentence(ending, lost, error)) from error
    finally:
        stop_ray()


def begin_ray(request: Request, errors: Console, *, verbose: bool = False) -> Plan:
    """Starts Ray or joins a cluster, and makes signals end this process as Ctrl-C does.

    Args:
        request: what the user asked for.
        errors: a console on standard error, which shows that Ray is started.
        verbose: show Ray's own messages.

    Raises:
        UsageError: there is no Ray to be had, or less than what was asked for.
    """
    with errors.status("starting Ray ...") if errors.is_terminal else contextlib.nullcontext():
        plan = started_early(request) or start_ray(request, verbose=verbose)
    end_as_ctrl_c()  # Ray's own handlers would end the process at once
    return plan


def begin(request: Request, errors: Console, *, verbose: bool = False) -> Plan:
    """Returns the plan of what is asked for, and starts Ray where it needs it, as `begin_ray` does."""
    if request.driver == PROCESS:
        return plan_here(request)
    return begin_ray(request, errors, verbose=verbose)


def command_again(out: str | Path | None = None) -> str:
    """Returns the command of this process, quoted for a shell, with `--out` where the user gave none.

    Args:
        out: the folder that was chosen, where the command does not name it.
    """
    given = started().arguments
    return again(*given, *([] if out is None or _names_out(given) else ["--out", str(out)]))


def ending_in(out: Path, noun: str, leave: Callable[[str], None], finished: str, **further: Any) -> Ending:
    """Returns the ending of an experiment whose command goes on with what it finished in a folder.

    Args:
        out: the folder.
        noun: what ended.
        leave: writes what there is and the status.
        finished: what is kept, such as `finished tables`.
        further: other attributes of the `Ending`.
    """
    usual: dict[str, Any] = {"kept": f"{finished} are kept", "where": lambda: f"{finished} are kept in {out}"}
    usual |= {"lost": lambda: lost(out), "go_on": lambda: command_again(out)}
    return Ending(noun, leave, **{**usual, **further})


def _names_out(words: Sequence[str]) -> bool:
    return any(word == "--out" or word.startswith("--out=") for word in words)


def _leave(ending: Ending, status: str) -> None:
    with contextlib.suppress(OSError, UsageError):  # a full disk or a lost folder: there is what there is
        ending.leave(status)


def _say_interrupted(ending: Ending, lost: str | None, console: Console) -> None:
    command = None if lost else ending.go_on()
    last = "." if command is None else ". Continue with:"
    say(console, f"\nInterrupted{ending.done()}; {lost or ending.kept}{last}")
    if command is not None:
        say(console, f"  {command}")


def _sentence(ending: Ending, lost: str | None, error: Exception) -> str:
    """Returns what happened, what is kept and what to do."""
    why = describe(error).rstrip(".")
    said = [f"The {ending.noun} ended{ending.done()} with {why}", lost or ending.where()]
    command = None if lost else ending.go_on()
    if isinstance(error, OSError) and command is not None:
        said.append(f"make room or mend that, then go on with {command}")
    sentence = "; ".join(filter(None, said)) + "."
    option = f"{TRACEBACK}=1 in the environment" if ending.verbose is None else "--verbose"
    return f"{sentence} {option} shows where it came from."
