"""Trials that carry several archs, without Ray."""

from __future__ import annotations

from typing import Any

import pytest
from ray.tune.search import Searcher

from nas_ray.errors import UsageError
from tests.searchers.test_base import Script


def script(*archs: str | None, size: int = 3, **connections: Any) -> Script:
    searcher = Script(*archs)
    searcher.attach(archs_per_trial=size, **connections)
    return searcher


def told(searcher: Script) -> list[tuple[int, str, bool]]:
    rows = [event["row"] for event in searcher.events if event["event"] == "tell"]
    return [(row["trial"], row["arch"], row["reused"]) for row in rows]


def rows(*values: float) -> dict[str, Any]:
    return {"rows": [{"x": value} for value in values], "time_total_s": 3.0}


def test_every_arch_is_one_ask_and_one_tell() -> None:
    searcher = script("a", "b", "c", "d")
    assert searcher.suggest("1") == {"archs": ["a", "b", "c"]}
    assert searcher.suggest("2") == {"archs": ["d"]}
    searcher.on_trial_complete("2", rows(4.0))
    searcher.on_trial_complete("1", rows(1.0, 2.0, 3.0))
    assert searcher.told == [("d", 4.0), ("a", 1.0), ("b", 2.0), ("c", 3.0)]
    assert [event["event"] for event in searcher.events] == ["ask"] * 4 + ["tell"] * 4
    assert searcher.num_asked == 4
    assert searcher.history[1] == {"x": 1.0, "reused": False, "trial": 0, "arch": "a"}


def test_the_rows_of_a_trial_arrive_at_one_time() -> None:
    clock = iter([5.0, 6.0, 7.0])
    searcher = script("a", "b", clock=lambda: next(clock))
    searcher.suggest("1")
    searcher.on_trial_complete("1", rows(1.0, 2.0))
    assert [row["finished_at"] for row in searcher.history] == [5.0, 5.0]


def test_a_searcher_that_waits_gives_a_smaller_trial() -> None:
    searcher = script("a", None, None, "b", "c")
    assert searcher.suggest("1") == {"archs": ["a"]}
    assert searcher.suggest("2") is None
    searcher.on_trial_complete("1", rows(1.0))
    assert searcher.suggest("3") == {"archs": ["b", "c"]}


def test_what_stops_a_search_gives_a_smaller_trial() -> None:
    searcher = script(*"abcdefgh")
    searcher.attach(stop=lambda: searcher.num_asked >= 4, archs_per_trial=3)
    assert searcher.suggest("1") == {"archs": ["a", "b", "c"]}
    assert searcher.suggest("2") == {"archs": ["d"]}
    assert searcher.suggest("3") is None  # the archs of a worker that dies go out again
    searcher.on_trial_complete("1", rows(1.0, 2.0, 3.0))
    assert searcher.suggest("3") is None  # and so does one that lacks memory
    searcher.on_trial_complete("2", rows(4.0))
    assert searcher.suggest("3") == Searcher.FINISHED


def test_a_searcher_that_is_at_its_end_is_not_asked_again() -> None:
    searcher = script("a", "b")
    assert searcher.suggest("1") == {"archs": ["a", "b"]}
    searcher.archs.append("c")
    assert searcher.suggest("2") is None
    searcher.on_trial_complete("1", None, error=True)
    assert [searcher.suggest(name) for name in "345"] == [{"archs": ["a"]}, {"archs": ["b"]}, None]


def test_an_arch_is_not_twice_in_a_trial() -> None:
    searcher = script("a", "a", "b", "a")
    assert searcher.suggest("1") == {"archs": ["a", "b"]}
    searcher.on_trial_complete("1", rows(1.0, 2.0))
    assert told(searcher) == [(0, "a", False), (1, "a", True), (3, "a", True), (2, "b", False)]


def test_a_known_arch_takes_no_place_in_a_trial() -> None:
    searcher = script("a", "b", "a", "c", size=2)
    searcher.suggest("1")
    searcher.on_trial_complete("1", rows(1.0, 2.0))
    assert searcher.suggest("2") == {"archs": ["c"]}
    assert told(searcher)[-1] == (2, "a", True)


def test_an_arch_in_flight_in_another_trial_takes_no_place() -> None:
    searcher = script("a", "b", "b", "c", size=2)
    searcher.suggest("1")
    assert searcher.suggest("2") == {"archs": ["c"]}
    searcher.on_trial_complete("1", rows(1.0, 2.0))
    assert told(searcher) == [(0, "a", False), (1, "b", False), (2, "b", True)]


def test_rows_that_failed_or_are_undefined_are_told_as_they_are() -> None:
    searcher = script("a", "b", "c")
    searcher.suggest("1")
    result = {"rows": [{"x": float("nan"), "error": "x is nan"}, {"error": "broken"}, {"x": 3.0}]}
    searcher.on_trial_complete("1", result)
    assert [row.get("error") for row in searcher.history] == ["x is nan", "broken", None]
    assert searcher.history[0]["x"] != searcher.history[0]["x"]


def test_who_waits_for_an_arch_of_a_trial_that_fails_evaluates_it() -> None:
    searcher = script("a", "a", "b", "c", size=2)
    assert searcher.suggest("1") == {"archs": ["a", "b"]}
    searcher.on_trial_complete("1", {"rows": [{"error": "broken"}, {"x": 2.0}]})
    assert searcher.suggest("2") == {"archs": ["a"]}
    assert searcher.suggest("3") == {"archs": ["c"]}


def test_the_archs_of_a_worker_that_died_go_out_one_by_one() -> None:
    searcher = script("a", "b", "b", "c", "d")
    assert searcher.suggest("1") == {"archs": ["a", "b", "c"]}
    searcher.on_trial_complete("1", None, error=True)
    assert told(searcher) == []
    assert [searcher.suggest(name) for name in "234"] == [{"archs": [arch]} for arch in "abc"]
    assert searcher.suggest("5") == {"archs": ["d"]}
    searcher.on_trial_complete("2", None, error=True)
    searcher.on_trial_complete("3", rows(2.0))
    searcher.on_trial_complete("4", rows(3.0))
    assert told(searcher) == [(1, "b", False), (2, "b", True), (3, "c", False)]
    searcher.on_trial_complete("5", rows(4.0))
    assert searcher.suggest("6") == {"archs": ["a"]}
    searcher.on_trial_complete("6", None, error=True)
    assert searcher.history[-1]["error"] == "the worker died before the trial ended"


def test_a_worker_that_died_is_made_up_for_after_the_search_was_stopped() -> None:
    searcher = script("a", "b", stop=lambda: len(searcher.archs) == 0)
    searcher.suggest("1")
    searcher.on_trial_complete("1", None, error=True)
    assert searcher.suggest("2") == {"archs": ["a"]}


def test_a_trial_that_was_stopped_before_it_started_tells_nothing() -> None:
    searcher = script("a", "b")
    searcher.suggest("1")
    searcher.on_trial_complete("1", None, error=False)
    assert told(searcher) == []


def test_half_a_trial_goes_out_by_itself_after_an_interruption() -> None:
    killed = script("a", "b", "c", "d", "e")
    killed.suggest("1")
    killed.on_trial_complete("1", rows(1.0, 2.0, 3.0))
    resumed = script("a", "b", "c", "d", "e")
    resumed.replay(killed.events[:4])  # three asks, one tell
    assert resumed.suggest("1") == {"archs": ["b", "c"]}
    assert resumed.suggest("2") == {"archs": ["d", "e"]}


def test_a_trial_that_was_being_filled_is_filled_after_an_interruption() -> None:
    killed = script("a", "b", "c", "d")
    killed.suggest("1")
    resumed = script("a", "b", "c", "d")
    resumed.replay(killed.events[:2])
    assert resumed.suggest("1") == {"archs": ["a", "b", "c"]}


def test_less_than_one_arch_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        Script().attach(archs_per_trial=0)
    assert str(caught.value) == "archs_per_trial must be a whole number of at least 1, got 0."
