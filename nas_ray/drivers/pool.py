"""A pool of Ray actors that live long and score chunks of archs; none of them is missed when it dies."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd
import ray
from ray.exceptions import RayError

from nas_ray.drivers.backlog import TRIES, Backlog, Piece
from nas_ray.drivers.by_value import ship_modules
from nas_ray.drivers.resources import Plan
from nas_ray.errors import UsageError, failure
from nas_ray.evaluation.allocator import keep_freed_memory
from nas_ray.rows import Failure

QUEUED = 2
"""Pieces that a worker holds: the one that it computes, and the next, so that it never waits."""

Scorer = Callable[[Sequence[str]], pd.DataFrame]
"""`scorer(archs)` returns a row per arch in that order: `arch`, scores, `seconds`, `error`, `error_kind`."""


def score_chunks(
    scorer: Scorer,
    chunks: Sequence[Sequence[str]],
    plan: Plan,
    *,
    columns: Sequence[str],
    on_worker: Callable[[str, bool], None] | None = None,
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yields the number and the rows of every chunk, as they are finished; Ray must be initialised.

    A worker that dies is replaced. The chunk that it computed is tried again, and in the end split until the
    arch that is to blame is found (`Backlog`); so every arch has a row.

    Args:
        scorer: sent to every worker once; what it raises becomes a row.
        chunks: lists of archs.
        plan: how many workers, and what each reserves.
        columns: names of the scores, for the rows of archs that cannot be scored.
        on_worker: called with `host:pid` and True when a worker is up, and with False when it is lost.

    Raises:
        UsageError: no worker can start.
    """
    backlog = Backlog(chunks, columns)
    pool = _Pool(scorer, plan, min(plan.max_concurrent, len(chunks)), on_worker or (lambda name, up: None))
    try:
        while pool.feed(backlog):
            yield from pool.collect(backlog)
    finally:
        pool.stop()


class Worker:
    """The actor: keeps the scorer, and with it nets and minibatch, from chunk to chunk."""

    def __init__(self, scorer: Scorer, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        keep_freed_memory()
        self.scorer = scorer

    def name(self) -> str:
        """Returns `host:pid`."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def score(self, archs: Sequence[str]) -> pd.DataFrame | Failure:
        """Returns the rows of `archs`, or what was raised."""
        try:
            return self.scorer(archs)
        except Exception as error:
            _free_gpu()
            return failure(error)


def make_worker(plan: Plan, kind: type[Worker] = Worker) -> Callable[[Any], Any]:
    """Returns what makes an actor of `kind` from a scorer, with the resources of a trial of `plan`."""
    ship_modules()
    reserved = {"num_cpus": plan.cpus_per_trial, "num_gpus": plan.gpus_per_trial}
    make: Any = ray.remote(**reserved, max_restarts=0)(kind)
    threads = max(1, int(plan.cpus_per_trial))
    return lambda scorer: make.remote(scorer, threads)


def _free_gpu() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()  # for the halves of a chunk that was too large


class _Member:
    """A worker as the driver sees it; `name` is empty until it is up."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.name = ""
        self.starting = actor.name.remote()
        self.queue: deque[tuple[Any, Piece]] = deque()

    def submit(self, piece: Piece) -> None:
        self.queue.append((self.actor.score.remote(piece.archs), piece))

    @property
    def next(self) -> Any:
        """What to wait for, None if the worker has nothing to do."""
        if not self.name:
            return self.starting
        return self.queue[0][0] if self.queue else None


class _Pool:
    """The members and who has which piece."""

    def __init__(self, scorer: Scorer, plan: Plan, size: int, on_worker: Callable[[str, bool], None]) -> None:
        self._make = make_worker(plan)
        self._scorer = ray.put(scorer)
        self._size = size
        self._on_worker = on_worker
        self._members: list[_Member] = []
        self._failed_starts = 0

    def feed(self, backlog: Backlog) -> bool:
        """Gives every worker that is up its share of pieces; returns whether anything is left to do."""
        busy = sum(bool(member.queue) for member in self._members)
        while len(self._members) < min(self._size, busy + len(backlog)):
            self._members.append(_Member(self._make(self._scorer)))
        up = [member for member in self._members if member.name]
        for depth in range(1, QUEUED + 1):
            if depth > 1 and len(backlog) < len(self._members):
                break  # the last pieces are for whoever is free first
            for member in up:
                if len(backlog) and len(member.queue) < depth:
                    member.submit(backlog.take())
        return bool(len(backlog)) or any(member.queue for member in self._members)

    def collect(self, backlog: Backlog) -> Iterator[tuple[int, pd.DataFrame]]:
        """Waits for a worker and yields the chunks that are complete with what it brought."""
        waited = {member.next: member for member in self._members if member.next is not None}
        ready, _ = ray.wait(list(waited), num_returns=1, timeout=1.0)  # returns, so that signals are seen
        for member in [waited[ref] for ref in ready]:
            try:
                result = ray.get(member.next)
            except RayError as error:
                yield from self._lost(member, backlog, error)
                continue
            if not member.name:
                member.name, self._failed_starts = result, 0
                self._on_worker(member.name, True)
                continue
            _, piece = member.queue.popleft()
            raised = isinstance(result, Failure)
            whole = backlog.failed(piece, result) if raised else backlog.done(piece, result)
            if whole is not None:
                yield piece.chunk, whole

    def _lost(self, member: _Member, backlog: Backlog, error: RayError) -> Iterator[tuple[int, pd.DataFrame]]:
        """Replaces a worker; only the piece at the head of its queue can be to blame."""
        self._members.remove(member)
        ray.kill(member.actor)
        if not member.name:
            self._failed_starts += 1
            if self._failed_starts == TRIES:
                said = " ".join(str(error).split())
                raise UsageError(
                    f"Workers must be able to start, but {TRIES} in a row did not; the last said: "
                    f"{said[-400:]}"
                )
            return
        self._on_worker(member.name, False)
        for _, piece in list(member.queue)[:0:-1]:
            backlog.give_back(piece)
        if member.queue:
            piece = member.queue[0][1]
            whole = backlog.lost(piece)
            if whole is not None:
                yield piece.chunk, whole

    def stop(self) -> None:
        """Ends the workers."""
        for member in self._members:
            if ray.is_initialized():
                ray.kill(member.actor)
