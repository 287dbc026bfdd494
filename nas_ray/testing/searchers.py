"""What every searcher must do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_ray.drivers.by_value import travelled
from nas_ray.drivers.simulation import simulate
from nas_ray.process.global_state import KeptState
from nas_ray.rows import Row
from nas_ray.safe_files.plain_state import packed, read_plain
from nas_ray.searchers import ArchSearcher, RankSum, Single
from nas_ray.searchers.kept import Kept, Stateful
from nas_ray.searchers.messages import FINISHED
from nas_ray.spaces.base import SearchSpace
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.testing.driving import Line, drive, drive_chunks, drive_rounds, value_of
from nas_ray.testing.given import contract_of, must, must_be_same, must_equal, must_leave

Make = Callable[..., ArchSearcher]
STEPS = 90
MOST_ASKED = 500
GIVEN = "as its state is a function of its arguments and of what it asked and was told"


def searcher_contract(
    make: Make, *, space: SearchSpace | None = None, **options: Any
) -> type[SearcherContract]:
    """Returns the tests of a class of searchers.

    Args:
        make: the class, called as `make(space, fitness=..., seed=..., **options)`.
        space: where it searches; None for NATS-TSS.
        options: what it cannot do without.
    """
    made = NatsTss() if space is None else space
    return contract_of(SearcherContract, make=partial(make, **options), space=made)


def new(make: Make, space: SearchSpace, seed: int = 0) -> ArchSearcher:
    """Returns a new searcher that maximises `x`."""
    return limited(make(space, fitness=Single(("x",)), seed=seed))


def limited(searcher: ArchSearcher, **connections: Any) -> ArchSearcher:
    """Returns the searcher, which ends where it would ask for known archs for ever."""
    searcher.attach(stop=lambda: searcher.num_asked >= MOST_ASKED, **connections)
    return searcher


def started(searcher: ArchSearcher, names: Sequence[str]) -> list[Any]:
    """Returns what it answers when trials with these names are to start."""
    return [searcher.suggest(name) for name in names]


class SearcherContract:
    """The tests of the fixture `make`, a class of searchers, on the fixture `space`."""

    def test_equal_seeds_give_equal_suggestions(self, make: Make, space: SearchSpace) -> None:
        """`self.rng` is the only source of randomness."""
        first, second = (drive(new(make, space), STEPS) for _ in range(2))
        must_be_same(
            second, first, "Searchers of equal seeds must ask for the same: draw from self.rng alone"
        )

    def test_global_random_state_is_not_touched(self, make: Make, space: SearchSpace) -> None:
        """Others draw from it."""
        with KeptState() as kept:
            drive(new(make, space), STEPS)
        must_leave(kept, "A searcher")

    @pytest.mark.parametrize("in_flight", [1, 2, 7])
    def test_saved_and_restored_it_goes_on_identically(
        self, make: Make, space: SearchSpace, in_flight: int, tmp_path: Path
    ) -> None:
        """Its state is a function of its arguments and of what it asked and was told."""
        whole, first, second = (new(make, space) for _ in range(3))
        drive(whole, STEPS, in_flight=in_flight)
        later = drive(whole, 60, start=STEPS, in_flight=in_flight)
        drive(first, STEPS, in_flight=in_flight)
        first.save(str(tmp_path / "searcher"))
        second.restore(str(tmp_path / "searcher"))
        found = drive(second, 60, start=STEPS, in_flight=in_flight)
        must_be_same(found, later, f"Restored, it must ask for what it would have asked for, {GIVEN}")

    def test_what_was_pending_is_asked_again_first(self, make: Make, space: SearchSpace) -> None:
        """A killed search loses nothing."""
        killed, resumed = new(make, space), new(make, space)
        drive(killed, 20)
        pending = started(killed, "pq")
        resumed.replay(json.loads(json.dumps(killed.events)))
        must_be_same(
            started(resumed, "pq"), pending, f"Resumed, it must first ask again for what was pending, {GIVEN}"
        )

    def test_what_was_pending_is_asked_again_even_if_the_budget_is_spent(
        self, make: Make, space: SearchSpace
    ) -> None:
        """It was paid for."""
        killed, resumed = new(make, space), new(make, space)
        drive(killed, 20)
        pending = killed.suggest("p")
        resumed.replay(killed.events)
        resumed.attach(stop=lambda: True)
        again = resumed.suggest("p")
        must_equal(again, pending, "Resumed, it must ask again for what was pending, whatever is spent")
        if pending != FINISHED:
            resumed.on_trial_complete("p", {"x": 1.0})
            must(
                resumed.suggest("q") == FINISHED, "It must end where its driver says stop, and asked for more"
            )

    def test_failed_undefined_and_cancelled_trials_are_survived(self, make: Make, space: SearchSpace) -> None:
        """A failed row ranks last, and a cancelled trial is never told."""
        searcher = new(make, space)
        numbers: list[Row] = [{"x": float("nan")}, {"x": float("-inf")}, {"x": float("inf")}]
        ends: list[tuple[Row | None, bool]] = [
            (row, False) for row in (*numbers, {"error": "broken"}, {"x": 1.0})
        ]
        ends += [(None, True), (None, True), (None, False)]
        for number in range(150):
            if searcher.suggest(str(number)) == FINISHED:
                break
            searcher.on_trial_complete(str(number), *ends[number % len(ends)])
        errors = [str(row.get("error")) for row in searcher.history]
        must(
            any("the worker died" in error for error in errors),
            "Trials whose worker died must be rows of the history with that error",
            sorted(set(errors)),
        )
        fitness = searcher.fitness(searcher.history)
        must(np.isfinite(fitness).any(), "One finite score must have a finite fitness", fitness)

    def test_all_failed_is_survived(self, make: Make, space: SearchSpace) -> None:
        """There may be no best row."""
        searcher = new(make, space)
        for number in range(120):
            if searcher.suggest(str(number)) == FINISHED:
                break
            searcher.on_trial_complete(str(number), None, error=True)

    def test_a_known_arch_is_not_evaluated_twice(self, make: Make) -> None:
        """Its row is told again."""
        try:
            searcher = new(make, Line(5))
        except Exception as error:
            pytest.skip(f"it does not search a line of five archs: {error}")
        searcher.attach(stop=lambda: searcher.num_asked >= 200)
        asked = drive(searcher, 200)
        twice = sorted({arch for arch in asked if asked.count(arch) > 1})
        must(not twice, "A known arch must be told its row and not be evaluated again", twice)
        must(len(asked) <= 5, "It must ask for archs of its space, which has five", asked)
        must(searcher.suggest("after") == FINISHED, "It must end where all that is asked for is known")

    def test_it_can_be_pickled_while_a_driver_is_attached(
        self, make: Make, space: SearchSpace, tmp_path: Path
    ) -> None:
        """Ray Client sends it to the head."""
        searcher, original = new(make, space), new(make, space)
        with (tmp_path / "open").open("w") as file:
            limited(searcher, observer=lambda event: file.write(f"{event}\n"))
            drive(searcher, 60)
            copy = limited(travelled(searcher))
        drive(original, 60)
        found, wanted = (drive(one, 30, start=60) for one in (copy, original))
        must_be_same(found, wanted, f"A copy in another process must go on as the searcher does, {GIVEN}")

    @pytest.mark.parametrize("size", [2, 8])
    def test_a_trial_of_several_archs_is_as_many_trials_in_flight(
        self, make: Make, space: SearchSpace, size: int
    ) -> None:
        """`ask` does not depend on how archs travel."""
        together, apart = new(make, space), new(make, space)
        drive_chunks(together, 120, size)
        drive_rounds(apart, 120, size)
        must_be_same(
            together.events, apart.events, f"{size} archs in a trial must be as {size} trials in flight"
        )

    def test_cut_anywhere_in_a_trial_of_several_archs_it_goes_on_as_if_it_had_not_been(
        self, make: Make, space: SearchSpace
    ) -> None:
        """An `ask` that returns None changed nothing."""
        whole = new(make, space)
        drive_chunks(whole, 75, 4)
        for cut in range(0, len(whole.events) + 1, 11):
            resumed = new(make, space)
            resumed.replay(whole.events[:cut])
            drive_chunks(resumed, 75, 4)
            must_be_same(
                resumed.events,
                whole.events,
                f"Cut after {cut} events it must go on as if it was not, {GIVEN}",
            )

    def test_from_its_state_it_goes_on_as_if_it_had_not_stopped(
        self, make: Make, space: SearchSpace, tmp_path: Path
    ) -> None:
        """With `state` and `load_state` no event is repeated; without them there is nothing to test."""
        whole = new(make, space)
        if not isinstance(whole, Stateful):
            return
        drive_chunks(whole, 75, 4)
        for cut in range(0, len(whole.events) + 1, 11):
            stopped, resumed, events = new(make, space), new(make, space), whole.events[:cut]
            stopped.replay(events)
            (tmp_path / "state").write_bytes(packed(stopped.kept()._asdict()))
            resumed.load_kept(Kept(**read_plain(tmp_path / "state")), events)
            resumed.replay(events)
            drive_chunks(resumed, 75, 4)
            must_be_same(
                resumed.events,
                whole.events,
                f"From its state after {cut} events it must go on as if it had not stopped; state() must "
                "return all that load_state needs",
            )

    def test_a_relative_fitness_works(self, make: Make, space: SearchSpace) -> None:
        """The fitness of an old row changes with each new one."""
        searcher = limited(make(space, fitness=RankSum(("x", "y")), seed=0))
        for number in range(120):
            if searcher.suggest(str(number)) == FINISHED:
                break
            searcher.on_trial_complete(str(number), {"x": float(number), "y": -float(number)})
        must(searcher.history, "It must ask for archs where the fitness is a rank sum, got an end at once")

    def test_workers_of_unequal_speed_give_the_same_table_twice(self, make: Make, space: SearchSpace) -> None:
        """Rows arrive in another order than they were asked for."""

        def evaluate(arch: str, report: Callable[[Row], None]) -> None:
            value = value_of(arch)
            error = "failed" if value % 7 == 0 else None
            report({"x": float("nan") if error else value, "seconds": value % 5, "error": error})

        first, second = (simulate(new(make, space), evaluate, num_samples=60, workers=3) for _ in range(2))
        must(len(first), "It must ask for at least one arch, got an end at once")
        wanted, found = (table["arch"].tolist() for table in (first, second))
        must_be_same(
            found, wanted, "Two searches with rows in another order than they were asked must be equal"
        )
        must(first.equals(second), "The tables of two equal searches must be equal, and other columns differ")
        must(first["finished_at"].is_monotonic_increasing, "Rows must be in the order of their ends")
