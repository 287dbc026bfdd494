"""What a driver connects to a searcher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nas_ray.errors.checks import whole
from nas_ray.rows import Event, Row, copied
from nas_ray.searchers.events import copied_event


@dataclass(frozen=True)
class Driver:
    """The connections of a searcher; they hold open files and belong to one process.

    Attributes:
        observer: gets every event.
        stop: ends the search.
        clock: gives seconds.
        watcher: gets rows of trials with epochs left.
        archs_per_trial: how many archs a trial carries at most.
        keeper: gets the searcher whenever it has taken an event, and may keep its state.

    Raises:
        UsageError: a trial would carry none.
    """

    observer: Callable[[Event], None] | None = None
    stop: Callable[[], bool] | None = None
    clock: Callable[[], float] | None = None
    watcher: Callable[[list[Row]], None] | None = None
    archs_per_trial: int = 1
    keeper: Callable[[Any], None] | None = None

    def __post_init__(self) -> None:
        whole(1).check("archs_per_trial", self.archs_per_trial)

    def observe(self, event: Event) -> None:
        """Passes a copy of an event on."""
        if self.observer:
            self.observer(copied_event(event))

    def keep(self, searcher: Any) -> None:
        """Passes a searcher on that has taken an event."""
        if self.keeper:
            self.keeper(searcher)

    def watch(self, rows: list[Row]) -> None:
        """Passes copies of the rows of a trial on that has epochs left."""
        if self.watcher:
            self.watcher([copied(row) for row in rows])

    def stops(self) -> bool:
        """Returns whether the search is to end."""
        return self.stop is not None and self.stop()

    def stamp(self) -> Row:
        """Returns what a row says of the time at which it came."""
        return {"finished_at": self.clock()} if self.clock else {}
