"""One line that tells how far the scoring of a list of archs is."""

from __future__ import annotations

import time
from types import TracebackType

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress

from nas_ray.drivers.progress import NOTICE_SECONDS
from nas_ray.terminal.console import field, say
from nas_ray.terminal.text import duration


class ChunkProgress:
    """Shows done / total, archs per second, time left, workers and failures; a context manager.

    Args:
        console: where to draw.
        total: archs wanted.
        known: archs that were scored before.
    """

    def __init__(self, console: Console, total: int, known: int) -> None:
        self._console = console
        self._total = total
        self._done, self._new, self._failures = known, 0, 0
        self._workers = self._lost = 0
        self._up_since: float | None = None
        self._noticed = time.monotonic()
        self._bar = Progress(
            field("scoring"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            field("{task.fields[state]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("scoring", total=total, completed=known, state="starting workers")

    def __enter__(self) -> ChunkProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    @property
    def rate(self) -> float:
        """Archs per second since the first worker was up; NaN before the first chunk is done."""
        if self._up_since is None or not self._new:
            return float("nan")
        return self._new / max(time.monotonic() - self._up_since, 1e-9)

    @property
    def lost(self) -> int:
        """Workers that died."""
        return self._lost

    def new_pool(self) -> None:
        """Counts workers from none again."""
        self._workers = 0

    def worker(self, name: str, up: bool) -> None:
        """Counts a worker that is up, or one that was lost."""
        if self._up_since is None:
            self._up_since = time.monotonic()
        self._workers += 1 if up else -1
        self._lost += not up
        if not up:
            say(self._console, f"The worker {name} died; another takes over.")
        self._draw()

    def chunk(self, rows: pd.DataFrame) -> None:
        """Counts the rows of a finished chunk."""
        self._done += len(rows)
        self._new += len(rows)
        self._failures += int(rows["error"].notna().sum())
        self._draw()

    def _draw(self) -> None:
        state = self._state()
        self._bar.update(self._task, completed=self._done, state=state)
        if not self._console.is_terminal and time.monotonic() - self._noticed > NOTICE_SECONDS:
            self._noticed = time.monotonic()
            say(self._console, f"{self._done:,} of {self._total:,} archs, {state}")

    def _state(self) -> str:
        workers = f"{self._workers} worker{'' if self._workers == 1 else 's'}"
        failures = f", {self._failures:,} undefined" if self._failures else ""
        if not np.isfinite(self.rate):
            return f"{workers} up{failures}"
        left = (self._total - self._done) / self.rate
        return f"{self.rate:.1f} archs/s, {duration(left)} left, {workers}{failures}"
