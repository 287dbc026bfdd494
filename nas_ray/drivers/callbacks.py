"""Callbacks of Ray Tune on a search of `tune_search`: checked, and what they wrote is kept."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas_ray.errors import UsageError, describe
from nas_ray.terminal.console import say_error

TUNE = "tune"
"""The folder of Tune in that of a run, while it runs."""
LOGS = "tune_logs"
"""The folder of what callbacks wrote, in that of a run."""


def check_callbacks(callbacks: Sequence[Any]) -> None:
    """Checks that Tune can call `callbacks`.

    Raises:
        UsageError: one is no object of a `ray.tune.Callback`.
    """
    from ray import tune

    for callback in callbacks:
        if not isinstance(callback, tune.Callback):
            raise UsageError(
                f"Each of callbacks must be a ray.tune.Callback, such as a logger, got {callback!r}; give "
                "functions as on_event or on_epoch."
            )


def clear(storage: Path, folder: Path, *, keep: bool) -> None:
    """Removes what Tune wrote of a search, since the journal has it all; its snapshots are pickles.

    Args:
        storage: where Tune ran; it may be `folder`.
        folder: of the run.
        keep: what callbacks wrote for each trial goes to `LOGS` in `folder`, without pickles.
    """
    made = storage / TUNE
    try:
        for path in made.glob("*/**/*") if keep else ():
            if path.is_file() and path.suffix != ".pkl":
                target = folder / LOGS / path.relative_to(made)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, target)
    except OSError as error:  # the search itself is whole
        say_error(f"What callbacks wrote is not kept in {folder / LOGS}: {describe(error)}.")
    finally:
        shutil.rmtree(made if storage == folder else storage, ignore_errors=True)
