"""Pieces of work that know nothing of each other, in several processes with a thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol, TypeVar

import torch

from nas_ray.errors import UsageError
from nas_ray.process.one_thread import one_thread
from nas_ray.process.processes import process_pool

T = TypeVar("T")
R = TypeVar("R")


class Done(Protocol):
    """Does pieces of work, and gives their results as they come."""

    def __call__(self, work: Callable[[T], R], pieces: Sequence[T]) -> Iterator[R]:
        """Yields the result of each piece, in any order."""


def _alone() -> None:
    """Leaves the other cores to the other processes."""
    torch.set_num_threads(1)


def _one_after_the_other(work: Callable[[T], R], pieces: Sequence[T]) -> Iterator[R]:
    return map(work, pieces)


@contextmanager
def side_by_side(processes: int) -> Iterator[Done]:
    """Gives what does pieces of work in so many processes; one is this one, with one thread as the others.

    Work and pieces must be what can be pickled. Rounding does not depend on the number of processes.

    Raises:
        UsageError: a process ended in the middle.
    """
    if processes <= 1:
        with one_thread():
            yield _one_after_the_other
        return

    def done(work: Callable[[T], R], pieces: Sequence[T]) -> Iterator[R]:
        return (one.result() for one in as_completed([pool.submit(work, piece) for piece in pieces]))

    try:
        with process_pool(processes, _alone) as pool:
            yield done
    except BrokenProcessPool as error:
        raise UsageError(
            "A process ended in the middle of its work, so memory is short; lower --num-cpus."
        ) from error
