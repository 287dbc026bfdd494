"""Scores a list of archs into a folder with a pool of workers, and reports what came out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import numpy as np
from rich.console import Console

from nas_ray.benchmarks.published import of_other_nets
from nas_ray.drivers.lifecycle import Ending, begin_ray, command_again, guarded
from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.resources import Plan
from nas_ray.process.started import command_for
from nas_ray.runs.kept import lost
from nas_ray.score_space.args import ScoreArgs
from nas_ray.score_space.chunk_store import CHUNKS, ChunkStore, open_store
from nas_ray.score_space.job import Job, prepare
from nas_ray.score_space.memory_limit import within_memory
from nas_ray.score_space.progress import ChunkProgress
from nas_ray.score_space.report import report
from nas_ray.shared_weights.one_by_one import alike_together
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.next_steps import options_of, say_next
from nas_ray.terminal.text import duration


def run(args: ScoreArgs, console: Console) -> int:
    """Scores what the folder lacks and reports; returns the exit code.

    Exit codes: 0 done, 1 no arch has a score, 130 interrupted.

    Raises:
        UsageError: bad input, told before Ray starts, or a failure that leaves the finished chunks.
    """
    job = prepare(args, console)
    errors = error_console()
    told = partial(say, errors)
    with open_store(job.out, job.identity, told, dataset=args.dataset) as store:
        ending = Ending(
            "scoring",
            lambda status: store.record(status=status),
            done=lambda: f" after {_done(job, store):,} of {len(job.archs):,} archs",
            kept="no finished chunk is lost",
            where=lambda: f"finished chunks are kept in {job.out}",
            lost=lambda: lost(job.out, file=CHUNKS),
            go_on=lambda: command_again(job.out),
            verbose=args.verbose,
        )
        return guarded(lambda: _whole(job, store, console, errors), ending, console)


def _whole(job: Job, store: ChunkStore, console: Console, errors: Console) -> int:
    score_missing(job, store, errors)
    stop_ray()
    code = _report(job, store, console)
    store.record(status="finished")
    words = ["--proxies", *job.args.proxies, *options_of(job.args, "dataset", "images", "benchmark")]
    say_next(console, command_for("report", job.out), command_for("rea", *words))
    return code


def _done(job: Job, store: ChunkStore) -> int:
    """Returns how many archs have all scores."""
    return len(job.archs) - len(still_missing(job, store))


def score_missing(job: Job, store: ChunkStore, errors: Console) -> None:
    """Scores what `store` lacks, chunk by chunk; Ray is started only if there is anything to do."""
    missing = still_missing(job, store, retry=job.args.retry)
    known = len(job.archs) - len(missing)
    if not missing:
        store.record(status="running")
        say(errors, f"All {known:,} archs are scored already.")
        return
    plan = begin_ray(job.request, errors, verbose=job.args.verbose)
    store.record(status="running", where=plan.where, images=job.images.description)
    say(errors, _introduction(job, plan, known))
    began = time.monotonic()
    with ChunkProgress(errors, len(job.archs), known) as progress:
        for names, chunks in cut(alike_together(job.archs), missing, job.args.chunk_size).items():
            _score(job, store, names, chunks, plan, progress)
    seconds = time.monotonic() - began
    said = f"{len(missing):,} archs in {duration(seconds)}, {progress.rate:.1f} archs/s once workers were up"
    say(errors, said)


def still_missing(job: Job, store: ChunkStore, *, retry: bool = False) -> dict[str, tuple[str, ...]]:
    """Returns the proxies that archs have to be scored by, for the archs that lack any."""
    return job.classes.without_repeats(store.missing(job.archs, job.columns.kept, retry=retry))


def cut(
    archs: Sequence[str], missing: dict[str, tuple[str, ...]], size: int
) -> dict[tuple[str, ...], list[list[str]]]:
    """Returns the chunks to score by the proxies to score them with.

    They are slices of the whole list, without what is known, so that a resumed run cuts as the first one did.
    Their order is mixed, so that light and heavy archs come in turn and the time left can be told.
    """
    groups: dict[tuple[str, ...], list[list[str]]] = {}
    starts = range(0, len(archs), size)
    for number in np.random.default_rng(0).permutation(len(starts)):
        chunk: dict[tuple[str, ...], list[str]] = {}
        for arch in archs[starts[number] : starts[number] + size]:
            if arch in missing:
                chunk.setdefault(missing[arch], []).append(arch)
        for names, members in chunk.items():
            groups.setdefault(names, []).append(members)
    return groups


def _score(
    job: Job,
    store: ChunkStore,
    names: tuple[str, ...],
    chunks: list[list[str]],
    plan: Plan,
    progress: ChunkProgress,
) -> None:
    from nas_ray.drivers.pool import score_chunks

    place = {arch: number for number, arch in enumerate(job.archs)}
    together, plan = within_memory(job, names, plan, chunks)
    columns = job.columns.of(names)
    progress.new_pool()
    scorer = job.scorer(names, plan, together)
    for number, rows in score_chunks(scorer, chunks, plan, columns=columns, on_worker=progress.worker):
        store.add(place[chunks[number][0]], rows)
        progress.chunk(rows)


def _report(job: Job, store: ChunkStore, console: Console) -> int:
    others = of_other_nets({"channels": job.space.channels, "cells": job.space.cells})
    if others and job.benchmark:
        say(console, f"A{others[1:]}")
    columns = job.columns.of(job.columns.proxies)
    table = job.classes.spread(store.table(job.archs, columns), columns)
    return report(
        job.out,
        job.columns.renamed(table),
        job.columns.names,
        console,
        space=job.space.archs,
        benchmark=job.benchmark,
        top=job.args.top,
        resamples=job.args.resamples,
        seed=job.args.seed,
    )


def _introduction(job: Job, plan: Plan, known: int) -> str:
    before = f", {known:,} of them known" if known else ""
    lines = [
        f"score_space on {job.space.name} for {job.args.dataset}: {len(job.archs):,} archs{before}, "
        + plan.where,
        f"scores     {', '.join(job.columns.names)} on {job.args.batch_size} images",
        f"images     {job.images.description}",
        f"accuracy   {job.benchmark.acc_source if job.benchmark else 'none (--benchmark none)'}",
        f"folder     {job.out}",
        *([job.images.note] if job.images.note else []),
    ]
    return "\n".join(lines)
