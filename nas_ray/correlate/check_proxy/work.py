"""All calls in processes of their own: a proxy that ends one, or never comes back, is told and not obeyed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Final

import torch

from nas_ray.correlate.check_proxy.args import CheckProxyArgs
from nas_ray.correlate.check_proxy.calls import answered
from nas_ray.correlate.check_proxy.pieces import Answer, Piece
from nas_ray.process.one_thread import one_thread
from nas_ray.process.processes import process_pool

Answered = tuple[Piece, Answer]
Ask = Callable[[CheckProxyArgs, Sequence[Piece]], Iterator[Answered]]
"""Yields the answer to each piece, in any order; fewer where calls end again and again."""
MOST_ENDED: Final = 3
"""Calls that end their process or their time before no more are made."""
ENDED: Final = "ends the process that calls it, or is ended with it by the limit on its time"
AHEAD: Final = 2
"""Pieces for each process that may be under way when it ends."""


def ask_here(args: CheckProxyArgs, pieces: Sequence[Piece]) -> Iterator[Answered]:
    """Asks in this process, which a proxy may end."""
    with one_thread():
        yield from (answered(args, piece) for piece in pieces)


def ask_apart(processes: int) -> Ask:
    """Returns what asks in so many processes with a thread each."""
    return partial(_apart, processes)


def _apart(processes: int, args: CheckProxyArgs, pieces: Sequence[Piece]) -> Iterator[Answered]:
    left, ended, together = list(pieces), 0, True
    while left:
        for piece, answer in (_together if together else _in_turn)(processes, args, list(left)):
            left.remove(piece)
            ended += answer.ended is not None
            yield piece, answer
            if ended >= MOST_ENDED:
                return
        together = not together


def _together(processes: int, args: CheckProxyArgs, pieces: Sequence[Piece]) -> Iterator[Answered]:
    """Yields answers until all are there or a process ends; which call ended it is not known."""
    asked: list[Future[Answered]] = []
    told: set[Future[Answered]] = set()
    try:
        with process_pool(min(processes, len(pieces)), _alone) as pool:
            asked = [pool.submit(answered, args, piece) for piece in pieces]
            for one in as_completed(asked):
                told.add(one)
                yield one.result()
    except BrokenProcessPool:  # some answers may have come before
        there = [one for one in asked if one not in told and one.done() and not one.cancelled()]
        yield from (one.result() for one in there if one.exception() is None)


def _in_turn(processes: int, args: CheckProxyArgs, pieces: Sequence[Piece]) -> Iterator[Answered]:
    """Yields the answers to the calls that may have ended a process, up to the one that ends it again."""
    with contextlib.suppress(BrokenProcessPool), process_pool(1, _alone) as pool:
        for piece in pieces[: AHEAD * processes]:
            try:
                yield pool.submit(answered, args, piece).result()
            except BrokenProcessPool:
                yield piece, Answer(ended=ENDED)
                return


def _alone() -> None:
    """Leaves the other cores to the other processes."""
    torch.set_num_threads(1)
