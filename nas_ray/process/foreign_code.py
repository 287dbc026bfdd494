"""Calls of code that is not ours: it changes nothing for the others and cannot end the process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from types import FrameType, TracebackType
from typing import Any

from nas_ray.errors import EndsProcess, describe
from nas_ray.process.global_state import KeptState
from nas_ray.process.interrupts import STOPPING
from nas_ray.process.time_limit import TimedOut

PACKAGE = __name__.partition(".")[0]


class Listening:
    """A context manager that hears the signals of the user, whose handlers work as before.

    Attributes:
        heard: whether one came.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self.heard = False

    def __enter__(self) -> Listening:
        if threading.current_thread() is threading.main_thread():
            found = {number: signal.getsignal(number) for number in STOPPING}
            self._before = {number: handler for number, handler in found.items() if callable(handler)}
            for number in self._before:
                signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.heard = True
        self._before[number](number, frame)


class Contained:
    """A context manager out of which nothing comes but an `Exception`, a time limit, or a signal of the user.

    `SystemExit`, `KeyboardInterrupt` and the like that the body raises by itself become `EndsProcess`.

    Args:
        listening: hears signals around many such bodies, which is faster than to begin and end it for each.
    """

    def __init__(self, listening: Listening | None = None) -> None:
        self._around = Listening() if listening is None else nullcontext(listening)

    def __enter__(self) -> Contained:
        self._listening = self._around.__enter__()
        self._listening.heard = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._around.__exit__(kind, error, trace)
        if error is None or isinstance(error, (Exception, TimedOut)) or self._listening.heard:
            return
        raise EndsProcess(_said(error)) from error


class ForeignCode:
    """A context manager for a call of foreign code: `Contained`, with `KeptState` around it.

    Args:
        random: whether the global random states are put back as well.

    Attributes:
        kept: says at the end what the code had changed.
    """

    def __init__(self, *, random: bool = True) -> None:
        self.kept = KeptState(random=random)
        self._stack = ExitStack()

    def __enter__(self) -> ForeignCode:
        self._stack.enter_context(self.kept)
        self._stack.enter_context(Contained())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def around(*parts: object) -> Callable[[], AbstractContextManager[object]]:
    """Returns what makes the contexts of calls into an algorithm of `parts`: `ForeignCode` if one is foreign.

    What lies in a filter, or in several, counts as well. An algorithm may draw from global random generators,
    which run on.
    """
    looked_at = list(parts)
    for part in looked_at:
        if hasattr(part, "space"):
            looked_at.append(part.space)
    return nullcontext if all(map(is_ours, looked_at)) else partial(ForeignCode, random=False)


def is_ours(thing: object) -> bool:
    """Returns whether a function, a class or an object is of this package."""
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return str(module).partition(".")[0] == PACKAGE


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return describe(error)
    return f"{describe(error)}, which ends a process; raise an Exception instead"
