"""What a searcher remembers: its events, and the rows that arrived with them; others get copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.process.foreign_code import around, is_ours
from nas_ray.rows import GIVEN, Event, Row, copied
from nas_ray.searchers.events import copied_event
from nas_ray.searchers.fitness import Fitness

if TYPE_CHECKING:  # a searcher needs no torch
    from nas_ray.spaces.base import SearchSpace


class Record:
    """The events of a search and its rows, which nobody else holds.

    Attributes:
        events: all so far.
        rows: of finished evaluations in order of arrival, one of an arch that succeeded, and one of every
            evaluation that failed.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.rows: list[Row] = []
        self._places: dict[str, int] = {}

    def keep(self, event: Event) -> Row | None:
        """Adds a copy of an event; returns a copy of its row if that is a new one."""
        event = copied_event(event)
        self.events.append(event)
        row: Row | None = event.get("row")
        if row is None or row.get("reused"):
            return None
        self._places[row["arch"]] = len(self.rows)
        self.rows.append(row)
        return copied(row)

    def place(self, arch: str) -> int:
        """Returns the place of the row of `arch` among all rows."""
        return self._places[arch]

    def success(self, arch: str) -> Row | None:
        """Returns the row of an arch whose evaluation succeeded, for a later one; None for any other."""
        row = self.rows[self._places[arch]] if arch in self._places else {"error": "never evaluated"}
        return None if row.get("error") else {name: row[name] for name in row if name != GIVEN}


class History:
    """The part of `ArchSearcher` that looks back.

    Attributes:
        space: where archs come from.
        fitness: what is maximised.
        objectives: of a searcher that maximises several things at once, each of them; its search ends with
            their front.
        history: copies of the rows, for the searcher to do with as it likes.
        costs: what is known of an arch without evaluating it, such as a latency from a table, as columns that
            its row gets; None where nothing is. A driver's `know` sets it.
    """

    space: SearchSpace
    objectives: Sequence[Fitness] = ()
    costs: Callable[[str], Row] | None = None

    def remember(self, fitness: Fitness) -> None:
        """Begins with nothing."""
        self.maximise(fitness)
        self.history: list[Row] = []
        self._record = Record()

    def maximise(self, fitness: Fitness) -> None:
        """Takes what is maximised from now on; for a driver, before the first arch is asked for."""
        self.fitness = fitness
        self._surroundings = around(type(self), fitness, self.space)

    def know(self, costs: Callable[[str], Row]) -> None:
        """Takes what is known of every arch beforehand, such as `nas_ray.benchmarks.costs.open_costs` reads.

        Args:
            costs: from an arch to columns, which its row gets when it arrives; before the first ask.
        """
        self.costs = costs

    def with_costs(self, row: Row) -> Row:
        """Returns the row of an arch with what is known of it beforehand."""
        return row if self.costs is None else {**row, **self.costs(row["arch"])}

    def fitness_of(self, positions: Sequence[int]) -> np.ndarray:
        """Returns the fitness `[positions]` of rows of `history`; a relative one looks at all of it."""
        if getattr(self.fitness, "relative", True):
            return self._fitness_of(self.history)[list(positions)]
        return self._fitness_of([self.history[p] for p in positions])

    def _fitness_of(self, rows: Sequence[Row]) -> np.ndarray:
        """Returns the fitness of `rows`, of which a foreign fitness gets copies."""
        return self.fitness(rows if is_ours(self.fitness) else [copied(row) for row in rows])

    def position(self, arch: str) -> int:
        """Returns the place of the row of `arch` in `history`."""
        return self._record.place(arch)

    @property
    def events(self) -> list[Event]:
        """Copies of the events so far."""
        return self.events_from(0)

    def events_from(self, count: int) -> list[Event]:
        """Returns copies of all events but the first `count`."""
        return [copied_event(event) for event in self._record.events[count:]]

    def rows_as_told(self) -> list[Row]:
        """Returns copies of the rows of `history`, without what the searcher made of them."""
        return [copied(row) for row in self._record.rows]

    @property
    def begun(self) -> bool:
        """Whether an arch was asked for, by this searcher or by a copy elsewhere that it follows."""
        return any(event["event"] == "ask" for event in self._record.events)

    def follow(self, event: Event) -> None:
        """Keeps an event, of this searcher or of a copy of it that asks and is told elsewhere."""
        if (row := self._record.keep(event)) is not None:
            self.history.append(row)
