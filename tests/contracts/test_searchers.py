"""What every searcher must do, run over the whole dict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ray import cloudpickle
from ray.tune.search import Searcher

from nas_ray.drivers.simulation import simulate
from nas_ray.searchers import SEARCHERS, ArchSearcher, RankSum, Row, Single
from nas_ray.spaces import NatsTss
from tests.searchers.toy import Grid, Line, drive, drive_chunks, options_of, value_of

SPACE = NatsTss()


@pytest.fixture(params=sorted(SEARCHERS))
def make(request: pytest.FixtureRequest) -> type[ArchSearcher]:
    return SEARCHERS[request.param]


def new(make: type[ArchSearcher], seed: int = 0) -> ArchSearcher:
    return make(SPACE, fitness=Single(("x",)), seed=seed, **options_of(make))


def test_equal_seeds_give_equal_suggestions(make: type[ArchSearcher]) -> None:
    assert drive(new(make), 150) == drive(new(make), 150)
    assert drive(new(make), 30) != drive(new(make, seed=1), 30)


def test_suggestions_are_archs_of_the_space(make: type[ArchSearcher]) -> None:
    assert all(arch in SPACE for arch in drive(new(make), 120))


def test_global_random_state_is_not_touched(make: type[ArchSearcher]) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002  (it is what must not change)
    drive(new(make), 100)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("in_flight", [1, 2, 7])
def test_saved_and_restored_it_goes_on_identically(
    make: type[ArchSearcher], in_flight: int, tmp_path: Path
) -> None:
    whole = new(make)
    drive(whole, 90, in_flight=in_flight)
    later = drive(whole, 60, start=90, in_flight=in_flight)

    first = new(make)
    drive(first, 90, in_flight=in_flight)
    first.save(str(tmp_path / "searcher"))
    second = new(make)
    second.restore(str(tmp_path / "searcher"))
    assert drive(second, 60, start=90, in_flight=in_flight) == later


def test_what_was_pending_is_asked_again_first(make: type[ArchSearcher]) -> None:
    killed = new(make)
    drive(killed, 20)
    pending = [killed.suggest(name) for name in ("p", "q")]
    resumed = new(make)
    resumed.replay(json.loads(json.dumps(killed.events)))
    assert [resumed.suggest(name) for name in ("p", "q")] == pending


def test_what_was_pending_is_asked_again_even_if_the_budget_is_spent(make: type[ArchSearcher]) -> None:
    killed = new(make)
    drive(killed, 20)
    pending = killed.suggest("p")
    resumed = new(make)
    resumed.replay(killed.events)
    resumed.attach(stop=lambda: True)
    assert resumed.suggest("p") == pending
    resumed.on_trial_complete("p", {"x": 1.0})
    assert resumed.suggest("q") == Searcher.FINISHED


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


def test_all_failed_is_survived(make: type[ArchSearcher]) -> None:
    searcher = new(make)
    for number in range(120):
        assert isinstance(searcher.suggest(str(number)), dict)
        searcher.on_trial_complete(str(number), None, error=True)


def test_a_tiny_space_ends_or_repeats_without_evaluating_twice(make: type[ArchSearcher]) -> None:
    searcher = make(Line(5), fitness=Single(("x",)), **options_of(make))
    searcher.attach(stop=lambda: searcher.num_asked >= 200)
    asked = drive(searcher, 200)
    assert len(asked) == len(set(asked)) <= 5
    assert searcher.suggest("after") == Searcher.FINISHED


def test_it_can_be_pickled_while_a_driver_is_attached(make: type[ArchSearcher], tmp_path: Path) -> None:
    searcher = new(make)
    with (tmp_path / "open").open("w") as file:
        searcher.attach(observer=lambda event: print(event, file=file))
        drive(searcher, 60)
        copy = cloudpickle.loads(cloudpickle.dumps(searcher))
    assert drive(copy, 30, start=60) == drive(new_at(make, 60), 30, start=60)


def new_at(make: type[ArchSearcher], steps: int) -> ArchSearcher:
    searcher = new(make)
    drive(searcher, steps)
    return searcher


def drive_rounds(searcher: ArchSearcher, steps: int, in_flight: int) -> None:
    """Starts up to `in_flight` trials of one arch, ends all of them, and so on."""
    searcher.attach(stop=lambda: searcher.num_asked >= steps)
    while True:
        started: list[tuple[str, str]] = []
        while len(started) < in_flight and isinstance(config := searcher.suggest(f"{len(started)}"), dict):
            started.append((f"{len(started)}", config["arch"]))
        if not started:
            break
        for trial, arch in started:
            searcher.on_trial_complete(trial, {"x": value_of(arch)})


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
    slow = make.__name__ in ("PredictorSearch", "OptunaSearch")  # they fit a model with every ask
    for cut in range(0, len(whole.events) + 1, 11 if slow else 1):
        resumed = make(space, fitness=Single(("x",)), **options_of(make))
        resumed.replay(whole.events[:cut])
        drive_chunks(resumed, 75, 4)
        assert resumed.events == whole.events, f"cut after {cut} events"


def test_relative_fitness_works(make: type[ArchSearcher]) -> None:
    searcher = make(SPACE, fitness=RankSum(("x", "y")), **options_of(make))
    for number in range(120):
        config = searcher.suggest(str(number))
        assert isinstance(config, dict)
        searcher.on_trial_complete(str(number), {"x": float(number), "y": -float(number)})
    assert len(searcher.history) > 100


@pytest.mark.parametrize("seed", [0, 1])
def test_the_optimum_of_a_small_space_is_found(make: type[ArchSearcher], seed: int) -> None:
    """An arch of Grid scores the number that it reads as, so 333 is best; a third of the archs fail."""
    searcher = make(Grid(), fitness=Single(("x",)), seed=seed, **options_of(make))
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


def test_workers_of_unequal_speed_give_the_same_table_twice(make: type[ArchSearcher]) -> None:
    def evaluate(arch: str, report: Callable[[Row], None]) -> None:
        index = SPACE.index(arch)
        error = "failed" if index % 7 == 0 else None
        report({"x": float("nan") if error else value_of(arch), "seconds": index % 5, "error": error})

    first, second = (simulate(new(make), evaluate, num_samples=60, workers=3) for _ in range(2))
    assert first.equals(second)
    assert first["finished_at"].is_monotonic_increasing
    assert 40 <= len(first) <= 60
