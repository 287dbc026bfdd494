"""What every searcher must do, run over the whole dict."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from nas_ray.drivers.simulation import simulate
from nas_ray.rows import Row
from nas_ray.searchers import SEARCHERS, ArchSearcher, RandomSearch, Single
from nas_ray.spaces import NatsTss
from nas_ray.testing import SearcherContract
from nas_ray.testing.driving import drive_rounds
from tests.searchers.toy import Grid, Line, drive, drive_chunks, options_of

SPACE = NatsTss()


@pytest.fixture(params=sorted(SEARCHERS))
def make(request: pytest.FixtureRequest) -> type[ArchSearcher]:
    return SEARCHERS[request.param]


def new(make: type[ArchSearcher], seed: int = 0) -> ArchSearcher:
    return make(SPACE, fitness=Single(("x",)), seed=seed, **options_of(make))


class TestEverySearcher(SearcherContract):
    @pytest.fixture
    def make(self, make: type[ArchSearcher]) -> Callable[..., ArchSearcher]:
        return partial(make, **options_of(make))

    @pytest.fixture
    def space(self) -> NatsTss:
        return SPACE


def test_other_seeds_give_other_suggestions(make: type[ArchSearcher]) -> None:
    assert drive(new(make), 30) != drive(new(make, seed=1), 30)


def test_suggestions_are_archs_of_the_space(make: type[ArchSearcher]) -> None:
    assert all(arch in SPACE for arch in drive(new(make), 120))


def test_a_journal_of_another_seed_is_refused(make: type[ArchSearcher]) -> None:
    other = new(make, seed=1)
    drive(other, 3)
    with pytest.raises(ValueError, match="made with other arguments"):
        new(make).replay(other.events)


def test_failed_undefined_and_cancelled_trials_are_survived(make: type[ArchSearcher]) -> None:
    searcher = new(make)
    results = [
        {"x": float("nan")}, {"x": float("-inf")}, {"x": float("inf")}, {"error": "broken"}, {"x": 1.0}
    ]  # fmt: skip
    for number in range(150):
        assert isinstance(searcher.suggest(str(number)), dict)
        if number % 8 in (5, 6):  # once beside others, once alone
            searcher.on_trial_complete(str(number), None, error=True)
        elif number % 8 == 7:
            searcher.on_trial_complete(str(number), None, error=False)
        else:
            searcher.on_trial_complete(str(number), results[number % 8])
    died = [row for row in searcher.history if row.get("error") == "the worker died before the trial ended"]
    assert died
    assert np.isfinite(searcher.fitness(searcher.history)).sum() >= 10


@pytest.mark.parametrize("space", [SPACE, Line(12)])
@pytest.mark.parametrize("size", [2, 8])
def test_a_trial_of_several_archs_is_as_many_trials_in_flight(
    make: type[ArchSearcher], size: int, space: NatsTss | Line
) -> None:
    together, apart = (make(space, fitness=Single(("x",)), **options_of(make)) for _ in range(2))
    drive_chunks(together, 120, size)
    drive_rounds(apart, 120, size)
    assert together.events == apart.events
    assert max(event["trial"] for event in together.events) >= 11


@pytest.mark.parametrize("space", [SPACE, Line(12)])
def test_cut_anywhere_in_a_trial_of_several_archs_it_goes_on_as_if_it_had_not_been(
    make: type[ArchSearcher], space: NatsTss | Line
) -> None:
    whole = make(space, fitness=Single(("x",)), **options_of(make))
    drive_chunks(whole, 75, 4)
    slow = make.__name__ in (
        *("PredictorSearch", "OptunaSearch", "ProgressiveSearch", "Reinforce", "Ppo", "Wrs", "WrsTwoPoint"),
    )
    for cut in range(0, len(whole.events) + 1, 11 if slow else 1):
        resumed = make(space, fitness=Single(("x",)), **options_of(make))
        resumed.replay(whole.events[:cut])
        drive_chunks(resumed, 75, 4)
        assert resumed.events == whole.events, f"cut after {cut} events"


@pytest.mark.parametrize("seed", [0, 1])
def test_the_optimum_of_a_small_space_is_found(make: type[ArchSearcher], seed: int) -> None:
    """An arch of Grid scores the number that it reads as, so 333 is best; a third of the archs fail."""
    options = options_of(make) | ({"lr": 0.05} if make.__name__ == "Reinforce" else {})  # certain too soon
    searcher = make(Grid(), fitness=Single(("x",)), seed=seed, **options)
    searcher.attach(stop=lambda: searcher.num_asked >= 600)
    for number in range(600):
        config = searcher.suggest(str(number))
        if not isinstance(config, dict):
            break
        failed = int(config["arch"]) % 3 == 1
        score = float("nan") if failed else float(config["arch"])
        searcher.on_trial_complete(str(number), {"x": score, "error": "x is nan" if failed else None})
    best = searcher.history[int(np.argmax(searcher.fitness(searcher.history)))]
    assert best["arch"] == "333"


def test_a_search_of_a_small_space_ends_or_goes_on_by_repeating(make: type[ArchSearcher]) -> None:
    """Every suggestion of a small space returns, also when nothing new is left."""
    searcher = make(Grid(), fitness=Single(("x",)), **options_of(make))
    searcher.attach(stop=lambda: searcher.num_asked >= 1200)
    assert len(drive(searcher, 1200)) <= 64
    assert searcher.num_asked <= 1200


def test_a_budget_of_seconds_alone_ends(make: type[ArchSearcher]) -> None:
    """Known archs cost no seconds, so a searcher that has seen everything must end by itself."""
    searcher = make(Line(9), fitness=Single(("x",)), **options_of(make))
    table = simulate(searcher, lambda arch, report: report({"x": 1.0, "seconds": 1.0}), seconds=100)
    assert table["seconds"].sum() <= 9


def given_rows(count: int) -> list[Row]:
    """Rows of an earlier search over archs of the space."""
    archs = drive(RandomSearch(SPACE, fitness=Single(("x",)), seed=9), count)
    return [{"arch": arch, "x": float(n % 17), "seconds": 2.0} for n, arch in enumerate(archs)]


def test_rows_that_it_is_given_cost_nothing_and_are_not_asked_for(make: type[ArchSearcher]) -> None:
    searcher = new(make)
    taken = searcher.add(given_rows(60))
    assert taken.told + taken.left_out.get("not of this space", 0) == 60
    assert taken.told > 5  # of a filter, which is a space of its own
    known = {row["arch"] for row in searcher.history}
    table = simulate(
        searcher, lambda arch, report: report({"x": float(len(arch)), "seconds": 1.0}), num_samples=40
    )
    assert searcher.num_asked == 40
    assert table["given"].tolist() == [True] * taken.told + [False] * 40
    computed = table[~table["given"] & ~table["reused"]]
    assert not known & set(computed["arch"])
    assert table["finished_at"].iloc[-1] == len(computed)  # the clock of the search does not know of them


def test_a_search_that_was_given_rows_is_resumed_identically(make: type[ArchSearcher]) -> None:
    first = new(make)
    first.add(given_rows(60))
    drive(first, 25)
    events = json.loads(json.dumps(first.events))
    again, anew = new(make), new(make)
    again.replay(events)  # from the journal alone
    anew.add(given_rows(60))  # by a program that gives them once more
    anew.replay(events)
    assert again.events == anew.events == first.events
    went_on = drive(first, 30)
    assert drive(again, 30) == drive(anew, 30) == went_on


def test_a_journal_that_began_with_other_rows_is_refused(make: type[ArchSearcher]) -> None:
    first, other = new(make), new(make)
    first.add(given_rows(20))
    drive(first, 3)
    other.add(given_rows(19))
    with pytest.raises(ValueError, match="it began with other rows than this searcher was given"):
        other.replay(first.events)
