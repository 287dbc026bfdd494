"""The folder of a training: made or gone on with, and left in order whatever happens."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from nas_ray.drivers.lifecycle import Ending, guarded
from nas_ray.images.identity import IMAGES
from nas_ray.runs.claim import Opens, claimed
from nas_ray.runs.folder import create_run, read_run, update_run, write_json
from nas_ray.runs.kept import lost
from nas_ray.runs.resume import resume_command
from nas_ray.safe_files.foreign import check_own_files
from nas_ray.terminal.text import counted
from nas_ray.train.args import NAME, remarks
from nas_ray.train.base_job import Job
from nas_ray.train.beside import Candidate
from nas_ray.train.module import net_folder
from nas_ray.train.rows import RESULT, read_result
from nas_ray.training.expected import Expected


def in_folder(job: Job, work: Callable[[Path], int], console: Console) -> int:
    """Runs a training in its folder and returns the exit code.

    Args:
        job: what is trained; its arguments say the folder, and whether it is a new one.
        work: trains in the folder that it is given.
        console: where is said how it ended.

    Raises:
        UsageError: the folder cannot be used, or its training was on other data.
    """
    args, identity = job.args, job.identity()
    kept = dataclasses.replace(args, resume=None, verbose=False, num_threads=job.devices.threads)
    stored = dataclasses.asdict(kept)
    folder = (
        args.resume or args.out or Path("runs") / f"{NAME}-{args.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"
    )
    with claimed(folder, NAME, Opens.RESUMED if args.resume else Opens.NEW):
        if args.resume is None:
            create_run(folder, {"experiment": NAME, "status": "running", "args": stored, **identity})
        else:
            check_own_files(folder)
            job.check_same(read_run(folder))
            now = {name: identity[name] for name in ("archs", IMAGES)}
            update_run(folder, status="running", args=stored, **now)
        ending = Ending(
            "training",
            lambda status: update_run(folder, status=status),
            kept="finished epochs are kept",
            where=lambda: f"finished epochs are kept in {folder}",
            lost=lambda: lost(folder),
            go_on=lambda: resume_command(folder),
            verbose=args.verbose,
        )
        return guarded(lambda: work(folder), ending, console)


def introduction(
    job: Job,
    subject: str,
    about: Sequence[str],
    left: Expected | None,
    folder: Path,
    skipped: Sequence[str] = (),
) -> str:
    """Returns the lines that say what is about to be trained.

    Args:
        job: what is trained.
        subject: what its nets are for.
        about: lines on the data.
        left: how long it will take.
        folder: of the training.
        skipped: files that were left out.
    """
    others = f", beside it {', '.join(candidate.label for candidate in job.beside)}" if job.beside else ""
    epochs, seeds = counted(job.recipe.epochs, "epoch"), counted(len(job.seeds), "seed")
    lines = [
        f"train {job.found.arch} for {subject}{others}",
        f"recipe     {job.args.recipe}: {epochs}, {seeds}",
        *about,
        f"on         {job.devices}",
        *(f"skipped    {line}" for line in skipped),
        *(f"left out   {line}" for line in job.left_out.values()),
        *(f"note       {line}" for line in remarks(job.args, job.sha256)),
        *([f"time       {left}"] if left else []),
        f"folder     {folder}",
    ]
    return "\n".join(lines)


def rows_of(
    job: Job, folder: Path, trained: Callable[[Candidate, int, Path], Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Returns the rows of all nets; one is trained unless its folder says that it was.

    Args:
        job: what is trained.
        folder: of the training.
        trained: trains an arch from a seed in a folder of its own, and returns what was measured.
    """
    rows = []
    for candidate, seed in itertools.product(job.candidates, job.seeds):
        own = net_folder(folder, candidate, seed)
        row = read_result(own)
        if row is None:
            named = {"label": candidate.label, "arch": candidate.arch, "space": candidate.space_name}
            row = {**named, "seed": seed, **trained(candidate, seed, own)}
            write_json(own / RESULT, row)
        rows.append(row)
    return rows
