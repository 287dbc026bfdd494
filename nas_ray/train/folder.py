"""The folder of a training: made or gone on with, and left in order whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from nas_ray.drivers.lifecycle import Ending, guarded
from nas_ray.errors import UsageError
from nas_ray.images.identity import IMAGES
from nas_ray.runs.claim import Opens, claimed
from nas_ray.runs.folder import create_run, read_run, update_run
from nas_ray.runs.kept import lost
from nas_ray.runs.resume import resume_command
from nas_ray.safe_files.foreign import check_own_files
from nas_ray.train.args import NAME, TrainArgs
from nas_ray.train.damage import check_same_images
from nas_ray.training.task_args import is_text


def in_folder(
    args: TrainArgs,
    stored: Mapping[str, Any],
    identity: Mapping[str, Any],
    work: Callable[[Path], int],
    console: Console,
) -> int:
    """Runs a training in its folder and returns the exit code.

    Args:
        args: say the folder, and whether it is a new one.
        stored: the arguments as `run.json` keeps them.
        identity: what `run.json` says beside them.
        work: trains in the folder that it is given.
        console: where is said how it ended.

    Raises:
        UsageError: the folder cannot be used, or its training was on other data.
    """
    folder = (
        args.resume or args.out or Path("runs") / f"{NAME}-{args.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"
    )
    with claimed(folder, NAME, Opens.RESUMED if args.resume else Opens.NEW):
        if args.resume is None:
            create_run(folder, {"experiment": NAME, "status": "running", "args": stored, **identity})
        else:
            check_own_files(folder)
            _check_same(args, read_run(folder), identity)
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


def _check_same(args: TrainArgs, stored: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Checks that a training goes on with the images or the text that it began with.

    Raises:
        UsageError: there are others.
    """
    if not is_text(args):
        check_same_images(stored, now)
    elif stored.get(IMAGES) != now[IMAGES]:
        raise UsageError(
            "The training must go on with the text that it began with, but it has changed; bring the same "
            "back, or start a new one."
        )
