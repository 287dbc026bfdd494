"""What a searcher, a fitness or a callback does with a row changes neither table nor journal."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import to_table
from nas_ray.errors import EndsProcess
from nas_ray.rows import Event
from nas_ray.runs.journal import Journal, rows_of
from nas_ray.searchers import ArchSearcher, Row, Single
from nas_ray.spaces.filtered import FilteredSpace
from tests.searchers.toy import Line


def spoil(row: Row) -> None:
    row["x"] = 999.0
    row["nested"]["deep"].append(999)
    row["arch"] = "nothing"
    row.pop("seconds", None)


class Careless(ArchSearcher):
    """Asks for some archs, the last of them twice, and spoils what it can reach."""

    def ask(self) -> str:
        if self.num_asked == 5:
            raise StopIteration
        self.reach()
        return str(list(self.space)[min(self.num_asked, 3)])  # type: ignore[call-overload]

    def reach(self) -> None:
        for event in self.events:
            if "row" in event:
                spoil(event["row"])

    def tell(self, arch: str, row: Row) -> None:
        spoil(row)


class SpoilsHistory(Careless):
    def reach(self) -> None:
        for row in self.history:
            if row["x"] != 999.0:
                spoil(row)


def spoiling_fitness(rows: Sequence[Row]) -> np.ndarray:
    values = np.array([row["x"] for row in rows])
    for row in rows:
        spoil(row)
    return values


class UsesFitness(Careless):
    def tell(self, arch: str, row: Row) -> None:
        self.fitness_of([0])


reported: list[Row] = []


def evaluate(arch: str, report: Callable[[Row], None]) -> None:
    row: Row = {"x": float(ord(arch[0])), "nested": {"deep": [1]}, "seconds": 1.0, "error": None}
    report(row)
    reported.append(row)
    spoil(row)


@pytest.mark.parametrize("kind", [Careless, SpoilsHistory, UsesFitness])
@pytest.mark.parametrize("fitness", [Single(("x",)), spoiling_fitness])
@pytest.mark.parametrize("workers", [1, 2])
def test_table_and_journal_are_as_evaluated(kind: type[Careless], fitness: Any, workers: int) -> None:
    searcher = kind(Line(), fitness=fitness)
    table = simulate(searcher, evaluate, workers=workers)
    again = to_table(searcher)
    archs = list(Line())
    for found in (table, again):
        assert found["arch"].tolist() == [*archs[:4], archs[3]]
        assert (
            found["x"].tolist()
            == found["fitness"].tolist()
            == [float(ord(arch[0])) for arch in found["arch"]]
        )
        assert found["nested"].tolist() == [{"deep": [1]}] * 5
        assert found["reused"].tolist() == [False] * 4 + [True]


def test_an_observer_and_a_watcher_get_copies(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    seen: list[Row] = []

    def observe(event: Event) -> None:
        journal.append(copy.deepcopy(event))
        if "row" in event:
            spoil(event["row"])
        event.clear()

    def watch(rows: list[Row]) -> None:
        seen.extend(copy.deepcopy(rows))
        spoil(rows[0])

    searcher = Careless(Line(), fitness=Single(("x",)))
    searcher.attach(observer=observe, watcher=watch)
    for number in range(2):
        config = searcher.suggest(str(number))
        assert isinstance(config, dict)
        row = {"x": 1.0, "nested": {"deep": [1]}, "seconds": 2.0}
        searcher.on_trial_result(str(number), {"rows": [row], "score": 1.0})
        assert row == {"x": 1.0, "nested": {"deep": [1]}, "seconds": 2.0}
        searcher.on_trial_complete(str(number), None)  # stopped by a scheduler: the last row counts
    journal.close()
    kept = rows_of(read_journal_of_nested(tmp_path / "journal.jsonl"))
    assert [row["x"] for row in kept] == [row["x"] for row in searcher.rows_as_told()] == [1.0, 1.0]
    assert [row["nested"] for row in searcher.rows_as_told()] == [{"deep": [1]}] * 2
    assert [row["x"] for row in seen] == [1.0, 1.0]


def read_journal_of_nested(path: Path) -> list[Event]:
    import json

    return [json.loads(line) for line in path.read_text().splitlines()]


def test_events_and_rows_are_copies() -> None:
    searcher = Careless(Line(), fitness=Single(("x",)))
    simulate(searcher, evaluate)
    before = copy.deepcopy(searcher.events)
    for event in searcher.events:
        event.clear()
    for row in searcher.rows_as_told():
        spoil(row)
    assert searcher.events == before


def test_a_replay_keeps_copies() -> None:
    first = Careless(Line(), fitness=Single(("x",)))
    simulate(first, evaluate)
    events = first.events
    second = Careless(Line(), fitness=Single(("x",)))
    second.replay(events)
    for event in events:
        event.clear()
    assert second.events == first.events


class Unruly(ArchSearcher):
    """Sets what it should not, and draws from a global generator."""

    def ask(self) -> str:
        torch.set_default_dtype(torch.float64)
        if self.num_asked == 4:
            raise StopIteration
        self.drawn = [*getattr(self, "drawn", []), random.random()]
        return str(list(self.space)[self.num_asked])  # type: ignore[call-overload]

    def tell(self, arch: str, row: Row) -> None:
        torch.set_grad_enabled(False)


def test_a_foreign_searcher_changes_nothing_for_others() -> None:
    dtypes = []

    def evaluator(arch: str, report: Callable[[Row], None]) -> None:
        dtypes.append((torch.get_default_dtype(), torch.is_grad_enabled()))
        report({"x": 0.0, "seconds": 1.0})

    searcher = Unruly(FilteredSpace(Line(), lambda arch: True), fitness=Single(("x",)))
    simulate(searcher, evaluator)
    assert dtypes == [(torch.float32, True)] * 4
    assert len(set(searcher.drawn)) == 4  # its draws go on


class Exits(Unruly):
    def tell(self, arch: str, row: Row) -> None:
        raise SystemExit(0)


def test_a_searcher_that_exits_is_a_searcher_that_fails() -> None:
    with pytest.raises(EndsProcess, match="SystemExit: 0"):
        simulate(Exits(Line(), fitness=Single(("x",))), lambda arch, report: report({"x": 0.0}))


def test_a_reader_of_another_searchers_events_follows_them() -> None:
    there = Careless(Line(), fitness=Single(("x",)))
    simulate(there, evaluate)
    here = Careless(Line(), fitness=Single(("x",)))
    for event in there.events:
        here.follow(event)
    assert here.events == there.events
    assert to_table(here).equals(to_table(there))
