from __future__ import annotations

from typing import Any

import pytest
from ray.tune.search import Searcher

from nas_ray.searchers import ArchSearcher, Single
from tests.searchers.toy import Line


class Script(ArchSearcher):
    """Asks for what a test wrote down."""

    def __init__(self, *archs: str | None) -> None:
        super().__init__(Line(), fitness=Single(("x",)))
        self.archs = list(archs)
        self.told: list[tuple[str, Any]] = []

    def ask(self) -> str | None:
        if not self.archs:
            raise StopIteration
        return self.archs.pop(0)

    def tell(self, arch: str, row: dict[str, Any]) -> None:
        self.told.append((arch, row.get("x")))


def test_ask_becomes_a_config_and_the_result_is_told() -> None:
    searcher = Script("a", "b")
    assert searcher.suggest("1") == {"arch": "a"}
    assert searcher.suggest("2") == {"arch": "b"}
    searcher.on_trial_complete("2", {"x": 2.0})
    searcher.on_trial_complete(
        "1", {"rows": [{"x": 1.0, "error": None}], "time_total_s": 3.0, "config/arch": "a"}
    )
    assert searcher.told == [("b", 2.0), ("a", 1.0)]
    assert searcher.history[1] == {"x": 1.0, "error": None, "reused": False, "trial": 0, "arch": "a"}
    assert searcher.suggest("3") == Searcher.FINISHED


def test_waiting_for_ever_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"Script.ask\(\) returned None with no evaluation pending"):
        Script(None).suggest("1")


def test_waiting_for_a_pending_result_is_fine() -> None:
    searcher = Script("a", None)
    searcher.suggest("1")
    assert searcher.suggest("2") is None


def test_a_known_arch_is_told_without_a_trial() -> None:
    searcher = Script("a", "a", "b")
    searcher.suggest("1")
    searcher.on_trial_complete("1", {"x": 1.0, "seconds": 2.0})
    assert searcher.suggest("2") == {"arch": "b"}
    assert searcher.told == [("a", 1.0), ("a", 1.0)]
    assert len(searcher.history) == 1
    assert searcher.events[-2]["row"] == {"x": 1.0, "seconds": 0.0, "reused": True, "trial": 1, "arch": "a"}


def test_an_arch_in_flight_is_not_evaluated_twice() -> None:
    searcher = Script("a", "a", "b", "a")
    assert searcher.suggest("1") == {"arch": "a"}
    assert searcher.suggest("2") == {"arch": "b"}
    assert searcher.suggest("3") is None  # should "1" fail, "a" is to be evaluated for who waits
    searcher.on_trial_complete("2", {"x": 2.0})
    searcher.on_trial_complete("1", {"x": 1.0})
    assert searcher.suggest("3") == Searcher.FINISHED
    rows = [event["row"] for event in searcher.events if event["event"] == "tell"]
    assert [(row["trial"], row["arch"], row["reused"]) for row in rows] == [
        (2, "b", False), (0, "a", False), (1, "a", True), (3, "a", True)
    ]  # fmt: skip
    assert len(searcher.history) == 2


def test_who_waits_for_an_arch_that_fails_evaluates_it() -> None:
    searcher = Script("a", "a", "b")
    searcher.suggest("1")
    searcher.suggest("2")
    searcher.on_trial_complete("1", {"error": "broken"})
    assert searcher.suggest("3") == {"arch": "a"}
    searcher.on_trial_complete("3", {"x": 1.0})
    rows = [event["row"] for event in searcher.events if event["event"] == "tell"]
    assert [row["trial"] for row in rows] == [0, 1]


def test_a_searcher_that_only_proposes_what_is_in_flight_waits() -> None:
    searcher = Script(*["a"] * 50)
    searcher.suggest("1")
    assert searcher.suggest("2") is None
    assert searcher.num_asked == 9
    searcher.on_trial_complete("1", {"x": 1.0})
    assert searcher.suggest("2") == Searcher.FINISHED
    assert len(searcher.told) == 50


class Breaks(Script):
    """Raises when it is told of `bad`."""

    def tell(self, arch: str, row: dict[str, Any]) -> None:
        super().tell(arch, row)
        if arch == "bad":
            raise RuntimeError("no bad ones")


def test_a_searcher_that_raises_loses_no_row_and_says_why_however_often_it_is_asked() -> None:
    events: list[Any] = []
    searcher = Breaks("bad", "a", "b")
    searcher.attach(observer=events.append, archs_per_trial=2)
    searcher.suggest("t0")
    result = {"rows": [{"x": 1.0}, {"x": 2.0}]}
    for _ in range(2):  # Tune comes again with the end of a trial that raised
        with pytest.raises(RuntimeError, match=r"^no bad ones$"):
            searcher.on_trial_complete("t0", result)
    with pytest.raises(RuntimeError, match=r"^no bad ones$"):
        searcher.suggest("t1")
    told = [event["row"] for event in events if event["event"] == "tell"]
    assert [(row["arch"], row["x"]) for row in told] == [("bad", 1.0), ("a", 2.0)]
    mended = Script("bad", "a", "b")
    mended.replay(events)
    assert mended.told == [("bad", 1.0), ("a", 2.0)]
    with pytest.raises(RuntimeError, match=r"^no bad ones$"):
        Breaks("bad", "a", "b").replay(events)


def test_an_arch_that_failed_is_evaluated_again() -> None:
    searcher = Script("a", "a")
    searcher.suggest("1")
    searcher.on_trial_complete("1", {"error": "broken"})
    assert searcher.suggest("2") == {"arch": "a"}


def test_an_arch_whose_worker_died_goes_out_once_more_with_nothing_beside_it() -> None:
    searcher = Script("a", "b", "c")
    assert [searcher.suggest(name) for name in "12"] == [{"arch": "a"}, {"arch": "b"}]
    searcher.on_trial_complete("1", None, error=True)
    assert searcher.suggest("3") is None  # b is still under way
    searcher.on_trial_complete("2", {"x": 1.0})
    assert searcher.suggest("4") == {"arch": "a"}
    assert searcher.suggest("5") is None
    searcher.on_trial_complete("4", None, error=True)
    assert [row["arch"] for row in searcher.history] == ["b", "a"]
    assert searcher.history[1]["error"] == "the worker died before the trial ended"
    assert searcher.suggest("6") == {"arch": "c"}


def test_stop_ends_the_search_and_the_clock_stamps_rows() -> None:
    seen: list[Any] = []
    searcher = Script("a", "b")
    searcher.attach(observer=seen.append, stop=lambda: searcher.num_asked >= 1, clock=lambda: 7.0)
    searcher.suggest("1")
    searcher.on_trial_complete("1", {"x": 1.0})
    assert searcher.suggest("2") == Searcher.FINISHED
    assert [event["event"] for event in seen] == ["ask", "tell"]
    assert seen[1]["row"]["finished_at"] == 7.0
