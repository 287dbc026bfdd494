"""A searcher that hears of every row a fixed number of asks later, to see what lateness costs."""

from __future__ import annotations

from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.around import Around
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.in_flight import InFlight
from nas_ray.terminal.ranges import SOME


class LateRows(Around):
    """Asks a searcher, and tells it each row only when `asks` further archs have been asked for.

    With one evaluation in flight the row of every arch, repeated ones included, is exactly so late: the
    searcher knows at its ask number n (from 0) the rows of the asks before number n - `asks`. With several in
    flight no row is earlier, and one that itself took longer is told as it comes. A searcher that would wait
    is told the oldest row at once where nothing is in flight, since no other would come; it awaits what is in
    flight and what it was not told. What was evaluated is in this search's own history and table as it
    arrives: the answer of the search is not late.

    Args:
        inner: a fresh searcher, of any kind; space, fitness and seed are its own.
        asks: archs asked for between an arch and its row; 0 changes nothing.

    Raises:
        UsageError: asks is out of range.
    """

    def __init__(self, inner: ArchSearcher, asks: int) -> None:
        if asks:
            SOME.check("asks of LateRows", asks)
        self.inner, self.asks = inner, asks
        self._held: list[tuple[str, Row]] = []
        super().__init__(inner.space, fitness=inner.fitness, seed=inner.seed)
        inner._in_flight = _Unheard(self)

    @property
    def unheard(self) -> bool:
        """Whether the searcher inside will be told of something that it asked for."""
        return bool(self._held) or self._in_flight.awaited

    def maximise(self, fitness: Fitness) -> None:
        """Takes what is maximised, as the searcher inside does."""
        super().maximise(fitness)
        self.inner.maximise(fitness)
        self._surroundings = self.inner._surroundings  # it may be foreign

    def ask(self) -> str | None:
        """Returns the next arch of the searcher inside.

        Raises:
            StopIteration: it has none.
        """
        last = self._asked - self.asks - 1
        due = [held for held in self._held if held[1]["trial"] <= last]
        self._held = [held for held in self._held if held[1]["trial"] > last]
        for held in due:
            self._hear(*held)
        arch = self.inner.ask()
        while arch is None and self._held and not self._in_flight.awaited:  # else a replay would differ
            self._hear(*self._held.pop(0))
            arch = self.inner.ask()
        return self._asked_for(arch)

    def tell(self, arch: str, row: Row) -> None:
        """Keeps the row for later; one that was given before the search is heard at once."""
        if row.get(GIVEN):
            self._hear(arch, row)
        else:
            self._held.append((arch, row))


class _Unheard(InFlight):
    """What the searcher inside knows of its evaluations without a row, which are another's."""

    def __init__(self, late: LateRows) -> None:
        super().__init__()
        self._late = late

    @property
    def awaited(self) -> bool:
        """Whether a row may come of what was asked for; in a replay, whether one has come and is not told."""
        return self._late.unheard
