"""Evaluations that lack memory go out once more, with nothing beside them."""

from __future__ import annotations

from typing import Any

from ray.tune.search import Searcher

from tests.searchers.test_base import Script

STARVED = {"x": float("nan"), "error": "naswot: out of memory"}
FINE = {"x": 1.0, "error": None}


def start(*archs: str, count: int) -> Script:
    searcher = Script(*archs)
    assert [searcher.suggest(str(n)) for n in range(count)] == [{"arch": arch} for arch in archs[:count]]
    return searcher


def errors(searcher: Script) -> dict[str, Any]:
    return {row["arch"]: row.get("error") for row in searcher.history}


def test_it_waits_for_the_others_and_they_for_it() -> None:
    searcher = start("a", "b", "c", count=2)
    searcher.on_trial_complete("0", STARVED)
    assert searcher.told == []
    assert searcher.suggest("2") is None  # b is still under way
    searcher.on_trial_complete("1", FINE)
    assert searcher.suggest("2") == {"arch": "a"}
    assert searcher.suggest("3") is None  # nothing beside it
    searcher.on_trial_complete("2", FINE)
    assert errors(searcher) == {"b": None, "a": None}
    assert searcher.suggest("3") == {"arch": "c"}


def test_a_second_time_it_has_failed() -> None:
    searcher = start("a", "b", count=1)
    searcher.on_trial_complete("0", STARVED)
    assert searcher.suggest("1") == {"arch": "a"}
    searcher.on_trial_complete("1", STARVED)
    assert errors(searcher) == {"a": "naswot: out of memory"}
    assert searcher.suggest("2") == {"arch": "b"}


def test_several_go_out_one_after_the_other() -> None:
    searcher = start("a", "b", "c", count=3)
    for trial in "012":
        searcher.on_trial_complete(trial, STARVED)
    for trial, arch in (("3", "a"), ("4", "b"), ("5", "c")):
        assert searcher.suggest(trial) == {"arch": arch}
        assert searcher.suggest("x") is None
        searcher.on_trial_complete(trial, FINE)
    assert searcher.suggest("6") == Searcher.FINISHED
    assert [event["event"] for event in searcher.events].count("tell") == 3


def test_archs_of_a_chunk_go_out_alone() -> None:
    searcher = Script("a", "b", "c")
    searcher.attach(archs_per_trial=2)
    assert searcher.suggest("0") == {"archs": ["a", "b"]}
    searcher.on_trial_complete("0", {"rows": [FINE, STARVED]})
    assert searcher.suggest("1") == {"archs": ["b"]}
    assert searcher.suggest("2") is None
    searcher.on_trial_complete("1", {"rows": [FINE]})
    assert searcher.suggest("2") == {"archs": ["c"]}


def test_killed_before_the_second_try_it_is_asked_for_again() -> None:
    searcher = start("a", "b", count=1)
    searcher.on_trial_complete("0", STARVED)
    resumed = Script("a", "b")
    resumed.replay(searcher.events)
    assert resumed.suggest("0") == {"arch": "a"}


def test_the_kind_decides_what_goes_out_again_and_not_the_text() -> None:
    searcher = start("a", "b", count=2)
    searcher.on_trial_complete("0", {"error": "x: too large", "error_kind": "out_of_memory"})
    searcher.on_trial_complete("1", {"error": "x: no out of memory", "error_kind": "raised"})
    assert errors(searcher) == {"b": "x: no out of memory"}
    assert searcher.suggest("2") == {"arch": "a"}


def test_the_journal_names_the_kind_of_every_failure() -> None:
    searcher = start("a", "b", "c", count=3)
    searcher.on_trial_complete("0", {"x": float("inf"), "error": "x is inf"})  # of another's evaluator
    searcher.on_trial_complete("1", FINE)
    searcher.on_trial_complete("2", error=True)
    assert searcher.suggest("3") == {"arch": "c"}
    searcher.on_trial_complete("3", error=True)
    rows = [event["row"] for event in searcher.events if event["event"] == "tell"]
    assert [row.get("error_kind", "none") for row in rows] == ["undefined", "none", "worker_died"]
