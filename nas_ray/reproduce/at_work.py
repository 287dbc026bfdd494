"""Processes that each know the whole space once, and do many small tasks with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from nas_ray.errors import UsageError
from nas_ray.process.processes import process_pool
from nas_ray.reproduce.known import Known

T = TypeVar("T")
R = TypeVar("R")

_KNOWN: Known | None = None  # of a worker process


def _start(known: Known) -> None:
    global _KNOWN
    _KNOWN = known


def _work(do: Callable[[Known, T], R], task: T) -> R:
    assert _KNOWN is not None
    return do(_KNOWN, task)


@contextmanager
def at_work(known: Known, processes: int) -> Iterator[Callable[..., Iterator[tuple[Any, Any]]]]:
    """Gives `done(do, tasks)`, which yields each task with `do(known, task)`, in any order.

    Args:
        known: what every process is given once.
        processes: how many; one is this process itself.

    Raises:
        UsageError: a process ended in the middle.
    """
    if processes == 1:
        yield lambda do, tasks: ((task, do(known, task)) for task in tasks)
        return
    try:
        with process_pool(processes, _start, (known,)) as pool:

            def done(do: Callable[[Known, T], R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
                work = {pool.submit(_work, do, task): task for task in tasks}
                return ((work[one], one.result()) for one in as_completed(work))

            yield done
    except BrokenProcessPool as error:
        raise UsageError(
            "A process ended in the middle of its runs: a searcher ended it, or memory is short; lower "
            "--num-cpus."
        ) from error
