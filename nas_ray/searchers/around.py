"""What searchers share that stand around another one, asking it and telling it rows."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable

from nas_ray.rows import Row
from nas_ray.searchers.base import ArchSearcher


class Around(ArchSearcher, ABC):
    """A searcher around a fresh one, whose asks and tells it makes; this one's are all that drivers see.

    Attributes:
        inner: the searcher inside.
    """

    inner: ArchSearcher

    def know(self, costs: Callable[[str], Row]) -> None:
        """Takes what is known of archs beforehand, as the searcher inside does."""
        super().know(costs)
        self.inner.know(costs)

    def _asked_for(self, arch: str | None) -> str | None:
        """Returns what the searcher inside asked for, of which it keeps the event."""
        if arch is not None:
            self.inner.follow({"event": "ask", "trial": self._asked, "arch": arch})
            self.inner._asked += 1
        return arch

    def _hear(self, arch: str, row: Row) -> None:
        """Tells the searcher inside a row."""
        self.inner.follow({"event": "tell", "trial": row["trial"], "row": row})
        self.inner.tell(arch, row)
