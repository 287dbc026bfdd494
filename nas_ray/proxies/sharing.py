"""Work that several proxies of one net have in common is done once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from torch import Tensor, nn

P = ParamSpec("P")
R = TypeVar("R")


class SharedWork:
    """What was computed for one net and batch.

    Attributes:
        saved_seconds: what the results that were taken over had cost when they were computed.
    """

    def __init__(self) -> None:
        self.saved_seconds = 0.0
        self._results: dict[tuple[Any, ...], tuple[Any, float, Any]] = {}

    def get(self, key: tuple[Any, ...], compute: Callable[[], R], holding: Any) -> R:
        """Returns the result under `key`, computed once; `holding` keeps alive what its ids name."""
        if key in self._results:
            result, seconds, _ = self._results[key]
            self.saved_seconds += seconds
            return result  # type: ignore[no-any-return]  # of the same function
        start = time.perf_counter()
        result = compute()
        self._results[key] = result, time.perf_counter() - start, holding
        return result

    def clear(self) -> None:
        """Frees all results."""
        self._results.clear()


_current: ContextVar[SharedWork | None] = ContextVar("shared_work", default=None)


@contextmanager
def shared_work() -> Iterator[SharedWork]:
    """Within it a `shared` function computes once per net and batch, which must not change meanwhile."""
    work = SharedWork()
    token = _current.set(work)
    try:
        yield work
    finally:
        _current.reset(token)
        work.clear()


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a function of net, tensors and plain values whose result is equal for equal arguments.

    Callers must not change the result. The keyword argument `name`, which only errors speak, makes no
    difference. Outside `shared_work` nothing is kept.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        work = _current.get()
        if work is None:
            return function(*args, **kwargs)
        given = (*args, *(value for name, value in sorted(kwargs.items()) if name != "name"))
        key = (function, *(id(a) if isinstance(a, (Tensor, nn.Module)) else a for a in given))
        return work.get(key, lambda: function(*args, **kwargs), given)

    return wrapper
