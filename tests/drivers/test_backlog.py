from __future__ import annotations

import pandas as pd

from nas_ray.drivers.backlog import TRIES, Backlog, Piece
from nas_ray.errors import failure

STARVED = failure(MemoryError())


def rows(piece: Piece) -> pd.DataFrame:
    return pd.DataFrame({"arch": list(piece.archs), "x": 1.0, "seconds": 0.1, "error": None})


def test_a_chunk_comes_back_whole() -> None:
    backlog = Backlog([["a", "b"], ["c"]], ["x"])
    first = backlog.take()
    whole = backlog.done(first, rows(first))
    assert whole is not None
    assert whole["arch"].tolist() == ["a", "b"]
    assert len(backlog) == 1


def test_a_worker_may_die_of_something_else() -> None:
    backlog = Backlog([["a", "b"]], ["x"])
    assert backlog.lost(backlog.take()) is None
    again = backlog.take()
    assert (again.archs, again.deaths) == (("a", "b"), 1)


def test_the_arch_that_kills_workers_is_found_and_the_others_are_scored() -> None:
    backlog = Backlog([["a", "b", "c", "d"]], ["x"])
    deaths, whole = 0, None
    while len(backlog):
        piece = backlog.take()
        if "c" in piece.archs:
            deaths += 1
            whole = backlog.lost(piece)
        else:
            whole = backlog.done(piece, rows(piece))
    assert whole is not None
    assert whole["arch"].tolist() == ["a", "b", "c", "d"]
    assert whole["x"].isna().tolist() == [False, False, True, False]
    assert whole["error"][2] == "the worker died of this arch, 3 times"
    assert whole["error_kind"][2] == "worker_died"
    assert deaths == 2 * TRIES + 1  # the chunk, its half once, the arch


def test_a_chunk_that_raises_is_split() -> None:
    backlog = Backlog([["a", "b"]], ["x"])
    assert backlog.failed(backlog.take(), STARVED) is None
    first, second = backlog.take(), backlog.take()
    assert (first.archs, second.archs) == (("a",), ("b",))
    assert backlog.failed(first, STARVED) is None
    whole = backlog.done(second, rows(second))
    assert whole is not None
    assert whole["error"].tolist()[0] == "out of memory"
    assert whole["error_kind"].tolist()[0] == "out_of_memory"
