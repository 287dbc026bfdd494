"""Work that several proxies of one net have in common is done once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

P = ParamSpec("P")
R = TypeVar("R")


WIDER = ("fisher", "fisher_channels")
"""Proxies whose pass gives what other proxies need as well."""


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
            result: R = self.look(key)
            return result
        start = time.perf_counter()
        result = compute()
        self._results[key] = result, time.perf_counter() - start, holding
        return result

    def look(self, key: tuple[Any, ...]) -> Any:
        """Returns the result under `key` or None."""
        if key not in self._results:
            return None
        result, seconds, _ = self._results[key]
        self.saved_seconds += seconds
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


@contextmanager
def nothing_shared() -> Iterator[None]:
    """Within it every call computes anew: a net may change between two calls, as a plug-in's own may."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a function of net, tensors and plain values whose result is equal for equal arguments.

    Callers must not change the result. The argument `name`, given by keyword, which only errors speak, makes
    no difference. Outside `shared_work` nothing is kept.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        work = _current.get()
        if work is None:
            return function(*args, **kwargs)
        given = (*args, *(value for name, value in kwargs.items() if name != "name"))
        return work.get(_key(function, given), lambda: function(*args, **kwargs), given)

    return wrapper


def known(function: Callable[..., R], *args: Any) -> R | None:
    """Returns the result of the `shared` function for these arguments if there is one already."""
    work = _current.get()
    return work.look(_key(function.__wrapped__, args)) if work else None  # type: ignore[attr-defined]


def _key(function: Callable[..., Any], given: tuple[Any, ...]) -> tuple[Any, ...]:
    half = torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")
    return (function, half, *(id(a) if isinstance(a, (Tensor, nn.Module)) else a for a in given))


def widest_first(names: Iterable[str]) -> list[str]:
    """Returns `names` so that a proxy whose pass gives more comes before those that can take it over."""
    return sorted(names, key=lambda name: name not in WIDER)
