"""A searcher that hears of every row a fixed number of asks later, to see what lateness costs."""

from __future__ import annotations

from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import Fitness
from nas_ray.terminal.ranges import SOME


class LateRows(ArchSearcher):
    """Asks a searcher, and tells it each row only when `asks` further archs have been asked for.

    With one evaluation in flight the row of every arch, repeated ones included, is exactly so late: the
    searcher knows at its ask number n (from 0) the rows of the asks before number n - `asks`. With several in
    flight no row is earlier, and one that itself took longer is told as it comes. A searcher that would wait
    is told the oldest row at once, since no other would come. What was evaluated is in this search's own
    history and table as it arrives: the answer of the search is not late.

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
        while arch is None and self._held:
            self._hear(*self._held.pop(0))
            arch = self.inner.ask()
        if arch is not None:
            self.inner.follow({"event": "ask", "trial": self._asked, "arch": arch})
            self.inner._asked += 1
        return arch

    def tell(self, arch: str, row: Row) -> None:
        """Keeps the row for later; one that was given before the search is heard at once."""
        if row.get(GIVEN):
            self._hear(arch, row)
        else:
            self._held.append((arch, row))

    def _hear(self, arch: str, row: Row) -> None:
        self.inner.follow({"event": "tell", "trial": row["trial"], "row": row})
        self.inner.tell(arch, row)
