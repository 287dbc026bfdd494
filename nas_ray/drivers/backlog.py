"""What a pool of workers has still to score, and what happens to the archs whose worker died."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from nas_ray.rows import ERROR, ERROR_KIND, WORKER_DIED, Failure, failed

TRIES = 3
"""Workers that a chunk, or a single arch, may cost before it is given up as a whole."""


@dataclass(frozen=True)
class Piece:
    """A chunk or a part of one.

    Attributes:
        chunk: number of the chunk.
        start: place of the first arch in the chunk.
        archs: the archs.
        deaths: workers that died of it.
    """

    chunk: int
    start: int
    archs: tuple[str, ...]
    deaths: int = 0


class Backlog:
    """The pieces that wait for a worker, and the tables of chunks that are done in part.

    A chunk that fails is split in halves again and again, until the arch that is to blame is alone: it
    becomes a row of NaN with `error`, and the others have their scores. A chunk that cost a worker is tried
    `TRIES` times first, since workers die for other reasons too; so is an arch that is alone.

    Args:
        chunks: lists of archs.
        columns: names of the scores, for the rows of archs that cannot be scored.
    """

    def __init__(self, chunks: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
        self._sizes = [len(archs) for archs in chunks]
        self._columns = tuple(columns)
        self._waiting = deque(Piece(number, 0, tuple(archs)) for number, archs in enumerate(chunks))
        self._parts: dict[int, dict[int, pd.DataFrame]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> Piece:
        """Returns the next piece."""
        return self._waiting.popleft()

    def give_back(self, piece: Piece) -> None:
        """Takes a piece that nobody began."""
        self._waiting.appendleft(piece)

    def done(self, piece: Piece, table: pd.DataFrame) -> pd.DataFrame | None:
        """Takes the rows of `piece`; returns those of the whole chunk once they are complete."""
        parts = self._parts.setdefault(piece.chunk, {})
        parts[piece.start] = table
        if sum(map(len, parts.values())) < self._sizes[piece.chunk]:
            return None
        del self._parts[piece.chunk]
        return pd.concat([parts[start] for start in sorted(parts)], ignore_index=True)

    def lost(self, piece: Piece) -> pd.DataFrame | None:
        """Takes back a piece whose worker died; returns the chunk if this makes it complete."""
        piece = replace(piece, deaths=piece.deaths + 1)
        again = len(piece.archs) in (1, self._sizes[piece.chunk])
        if again and piece.deaths < TRIES:
            self._waiting.appendleft(piece)
            return None
        said = f"the worker died of this arch, {piece.deaths} times"
        return self.failed(piece, Failure(said, WORKER_DIED))

    def failed(self, piece: Piece, failure: Failure) -> pd.DataFrame | None:
        """Takes back a piece that failed; returns the chunk if this makes it complete."""
        if len(piece.archs) == 1:
            return self.done(piece, self._failed_row(piece.archs[0], failure))
        half = len(piece.archs) // 2
        self._waiting.appendleft(Piece(piece.chunk, piece.start + half, piece.archs[half:]))
        self._waiting.appendleft(Piece(piece.chunk, piece.start, piece.archs[:half]))
        return None

    def _failed_row(self, arch: str, failure: Failure) -> pd.DataFrame:
        scores = dict.fromkeys(self._columns, float("nan"))
        row = pd.DataFrame([{"arch": arch, **scores, "seconds": 0.0, **failed([failure])}])
        return row.astype({ERROR: "string", ERROR_KIND: "string"})
