"""Calls a proxy again and again, and says what is wrong with it."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Column

from nas_ray.correlate.check_proxy.args import CheckProxyArgs
from nas_ray.correlate.check_proxy.judging import check_usable, has_fault, judged, subjects_of
from nas_ray.correlate.check_proxy.known import Known, known_of
from nas_ray.correlate.check_proxy.page import findings_table, page
from nas_ray.correlate.check_proxy.pieces import FEWEST, Answer, Piece, all_pieces
from nas_ray.correlate.check_proxy.subject import FAULT, WORST_FIRST, Finding
from nas_ray.correlate.check_proxy.work import Ask, ask_apart
from nas_ray.correlate.check_proxy.world import World, world_of
from nas_ray.drivers.lifecycle import Ending, command_again, guarded
from nas_ray.errors import LONGEST_NAME, UsageError
from nas_ray.process.started import command_for
from nas_ray.proxies import PROXIES
from nas_ray.proxies.needs import check_needs
from nas_ray.runs.claim import claimed
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_csv, write_text
from nas_ray.shared_weights.batched import BATCHED
from nas_ray.shared_weights.together import has_supernet
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.terminal.console import Rows, error_console, headed, put, say
from nas_ray.terminal.next_steps import options_of, say_next
from nas_ray.terminal.text import counted

EXPERIMENT = "check_proxy"
CHECKS, CALLS, PAGE = "checks", "calls", "check.html"
FOUND = 1
"""Exit code where there is a fault."""
STYLES = {"fault": "bold red", "doubt": "yellow", "unknown": "yellow"}


def run(args: CheckProxyArgs, console: Console, ask: Ask | None = None) -> int:
    """Checks a proxy; returns 0, or 1 where it has a fault.

    Args:
        args: of the command.
        console: where it is told.
        ask: makes the calls; None for processes of their own.

    Raises:
        UsageError: anything in `args` that cannot work, or a proxy that scores no arch.
    """
    args.check()
    world, known = world_of(args), known_of(args)
    check_signature(world)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    out = args.out or Path("runs") / f"check-proxy-{file_name(world.name)}-{stamp}"
    ask = ask or ask_apart(args.num_cpus or os.cpu_count() or 1)
    with claimed(out, EXPERIMENT):
        record = Record(out, EXPERIMENT, args)

        def work() -> int:
            record.begin()
            if world.images.note:
                say(console, world.images.note)
            say(console, headed(world.name, f": {_about(args, world, known)}"))
            began = time.perf_counter()
            answers = examined(args, world, known, ask)
            seconds = time.perf_counter() - began
            found = _tell(args, world, known, answers, seconds, out, console)
            record.wrote(CHECKS)
            record.add(seconds=seconds, verdicts=dict(Counter(one.verdict for one in found)))
            record.end("finished")
            say(console, f"Page: {out / PAGE} ({counted(len(answers), 'call')} in {seconds:.0f} s)")
            words = options_of(args, "space", "images", "benchmark")
            say_next(console, command_for("correlate", "--proxies", args.proxy, *words))
            return FOUND if has_fault(found) else 0

        return guarded(work, Ending("check", record.end, go_on=lambda: command_again(out)), console)


def check_signature(world: World) -> None:
    """Checks that a proxy can be called with a net, images and labels, before it is.

    Raises:
        UsageError: it cannot.
    """
    try:
        inspect.signature(world.proxy).bind(None, None, None)
    except TypeError as error:
        raise UsageError(
            f"The proxy {world.name!r} must be a function (net, inputs, targets) -> float, got "
            f"{world.proxy!r:.80}: {error}; see docs/new_proxy.md."
        ) from error
    except ValueError:  # Python knows no signature of it, so its first call will tell
        return


def examined(args: CheckProxyArgs, world: World, known: Known, ask: Ask) -> dict[Piece, Answer]:
    """Returns the answers to all calls; to fewer where calls end their process again and again.

    Raises:
        UsageError: no arch has a score, or the proxy needs other data.
    """
    check_needs({world.name: world.proxy}, *world.images.minibatch(), world.images.num_classes)
    comparable = has_supernet(world.space) and isinstance(world.space, NatsTss) and world.name in BATCHED
    built_in = PROXIES.get(world.name) is world.proxy
    pieces = all_pieces(known.archs, args.batch_size, known.apart, comparable and built_in)
    answers: dict[Piece, Answer] = {}
    first = set(pieces[:FEWEST])
    calls = track(ask(args, pieces), "Calls", len(pieces), console=error_console(), transient=True)
    for piece, answer in calls:
        answers[piece] = answer
        if piece in first and first <= answers.keys():
            check_usable(world, answers, known.archs)
    check_usable(world, answers, known.archs)  # calls may have ended before
    return answers


def _about(args: CheckProxyArgs, world: World, known: Known) -> str:
    images = world.images.description
    size = "" if world.size == world.images.image_size else f" made {world.size} pixels large"
    accuracy = known.source if known.accuracy is not None else f"unknown, {known.source}"
    return (
        f"{counted(len(known.archs), 'arch')} of {args.space}, {args.batch_size} images ({images}){size}; "
        f"accuracy: {accuracy}"
    )


def _tell(
    args: CheckProxyArgs,
    world: World,
    known: Known,
    answers: Mapping[Piece, Answer],
    seconds: float,
    out: Path,
    console: Console,
) -> list[Finding]:
    """Prints and writes what was found, at once or not at all, and returns it."""
    subjects = subjects_of(args, world, known, answers)
    found = {subject.column: judged(subject) for subject in subjects}
    every = [one for own in found.values() for one in own]
    tables = [findings_table(own).assign(score=column) for column, own in found.items()]
    said = _counts(every)
    calls = calls_table(answers)
    facts = [
        ("proxy", args.proxy),
        ("verdict", said),
        ("on", _about(args, world, known)),
        ("calls", f"{len(answers):,} in {seconds:.0f} s"),
        ("folder", str(out)),
    ]
    with staged(out) as beside:
        write_csv(beside / f"{CHECKS}.csv", pd.concat(tables, ignore_index=True))
        write_csv(beside / f"{CALLS}.csv", calls)
        write_text(beside / PAGE, page(f"check-proxy: {args.proxy}", said, facts, found, subjects, calls))
    for column, own in found.items():
        if len(found) > 1:
            say(console, headed(f"\n{column}", ""))
        put(console, _shown(own))
    say(console, said)
    return every


def _shown(found: Sequence[Finding]) -> Rows:
    table = Rows("verdict", "check", Column("why", overflow="fold"), box=None, header_style="bold")
    for one in found:
        table.add_row(one.verdict, one.check, one.reason, style=STYLES.get(one.verdict, ""))
    return table


def _counts(found: Sequence[Finding]) -> str:
    counts = Counter(one.verdict for one in found)
    words = [counted(counts[verdict], verdict) for verdict in WORST_FIRST[:2] if counts[verdict]]
    if not counts[FAULT]:
        words.insert(0, "no fault")
    return f"{', '.join(words)}, {counted(len(found), 'finding')} in all"


def calls_table(answers: Mapping[Piece, Answer]) -> pd.DataFrame:
    """Returns a row for each call: what was asked, its scores, seconds, and what went wrong."""
    rows = []
    for piece, answer in answers.items():
        asked = dataclasses.asdict(piece)
        facts = {} if answer.facts is None else {"params": answer.facts.params}
        rows.append(
            {
                **{name: value for name, value in asked.items() if name != "facts"},
                **answer.values,
                "seconds": answer.seconds,
                **facts,
                "error": answer.error or answer.ended,
            }
        )
    return pd.DataFrame(rows)


def file_name(name: str) -> str:
    """Returns the name of a proxy as a part of that of a folder."""
    return re.sub(r"[^\w.-]", "-", name)[:LONGEST_NAME].lstrip(".") or "proxy"
