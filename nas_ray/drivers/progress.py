"""One line that tells how far a search is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from nas_ray.report.magnitudes import shown_score
from nas_ray.rows import GIVEN, Event, Row, final_arch
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.messages import EPOCHS
from nas_ray.terminal.console import field, say

NOTICE_SECONDS = 10.0
"""Where output is no terminal, a line is printed this often."""
SLOW = 0.5
"""Below so many archs per second, seconds per arch are shown."""


class SearchProgress:
    """Shows done / total, the best so far, archs per second and the time left; a context manager.

    Args:
        console: where to draw.
        total: evaluations to make; None if only time limits the search.
        fitness: for the best so far.
        label: a short name of an arch, such as its index; None where nothing is searched for.
    """

    def __init__(
        self,
        console: Console,
        total: int | None,
        fitness: Fitness,
        label: Callable[[str], str] | None,
    ) -> None:
        self._console = console
        self._total = total
        self._fitness = fitness
        self._label = label
        self._rows: list[Row] = []
        self._done = self._new = self._first = self._epochs = 0
        self._first_at = 0.0
        self._started = self._noticed = time.monotonic()
        self._bar = Progress(
            field("search" if label else "score"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            field("{task.fields[best]}"),
            field("{task.fields[speed]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("search", total=total, best="", speed="starting workers")

    def __enter__(self) -> SearchProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def replayed(self, rows: Sequence[Row]) -> None:
        """Counts rows that were there before."""
        self._rows += [row for row in rows if not row.get("reused")]
        self._done += sum(not row.get(GIVEN) for row in rows)
        self._draw()

    def __call__(self, event: Event) -> None:
        """Takes an event of the search."""
        if event["event"] != "tell":
            return
        if not self._new:
            self._started = time.monotonic()  # workers are up: speed counts from here
            self._first_at = event["row"]["finished_at"]
        self._new += 1
        self._first += event["row"]["finished_at"] == self._first_at  # the rows of one trial arrive together
        self._done += 1
        if not event["row"].get("reused"):
            self._rows.append(event["row"])
            self._epochs += EPOCHS in event["row"]
        self._draw()

    def trained(self, rows: Sequence[Row]) -> None:
        """Takes the rows of trainings that go on."""
        self._epochs += len(rows)
        self._draw()

    def _draw(self) -> None:
        best, speed = self._best(), self._speed()
        self._bar.update(self._task, completed=self._done, best=best, speed=speed)
        if not self._console.is_terminal and time.monotonic() - self._noticed > NOTICE_SECONDS:
            self._noticed = time.monotonic()
            of = f"/{self._total}" if self._total else ""
            say(self._console, f"{self._done}{of} done, {best and best + ', '}{speed}{self._left()}")

    def _best(self) -> str:
        if self._label is None:
            return ""
        if not self._rows:
            return "best -"
        values = self._fitness(self._rows)
        place = int(np.argmax(values))
        if not np.isfinite(values[place]):
            return "best none yet"
        called = self._label(final_arch(self._rows[place]))
        row, names = self._rows[place], getattr(self._fitness, "names", ())
        scores = [f"{name} {shown_score(row[name], 4)}" for name in names]
        return " ".join(["best", called, *scores])

    def _speed(self) -> str:
        rate = self._rate()
        epochs = f", {self._epochs} epochs" if self._epochs else ""
        if not rate:
            return f"first trainings{epochs}" if epochs else "starting workers"
        return (f"{rate:.1f} archs/s" if rate >= SLOW else f"{1 / rate:.0f} s/arch") + epochs

    def _left(self) -> str:
        rate = self._rate()
        return f", {(self._total - self._done) / rate:.0f} s left" if self._total and rate else ""

    def _rate(self) -> float:
        """Returns archs per second since the first trial ended, 0 before a second one has."""
        return (self._new - self._first) / max(time.monotonic() - self._started, 1e-9)
