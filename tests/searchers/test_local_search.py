from __future__ import annotations

import pytest
from ray.tune.search import Searcher

from nas_ray.errors import UsageError
from nas_ray.searchers import LocalSearch, Single
from nas_ray.spaces import NatsTss
from tests.searchers.toy import Line, Script, drive


def test_hand_traced_run() -> None:
    """Archs 0..6, whose fitness is their number."""
    searcher = LocalSearch(Line(7), fitness=Single(("x",)))
    searcher.rng = Script(  # type: ignore[assignment]
        5,  # start
        [1, 0],  # neighbours 4 6, in the order 6 4; 6 is better
        [0],  # its neighbour 5 is known and not better: a local optimum
        *(5, 0),  # restart: 5 is known, 0
        [0],  # neighbour 1
        [0, 1],  # neighbours 0 (known) and 2
        [1, 0],  # neighbours 3 and 1 (known)
        [0, 1],  # neighbours 2 and 4, both known: on to 4
        [0, 1],  # neighbours 3 and 5, both known: on to 5, from where the first climb went on
    )
    assert drive(searcher, 7) == ["5", "6", "4", "0", "1", "2", "3"]
    with pytest.raises(IndexError):  # the next restart draws, and nothing else is left to do
        searcher.ask()


def test_first_improvement_leaves_the_rest_of_the_neighbours() -> None:
    """From 3 to the better neighbour 4 at once, without 2."""
    searcher = LocalSearch(Line(7), fitness=Single(("x",)), first_improvement=True)
    searcher.rng = Script(3, [1, 0], [0, 1], [1, 0])  # type: ignore[assignment]
    assert drive(searcher, 4) == ["3", "4", "5", "6"]


def test_a_climb_starts_from_the_best_of_its_starts() -> None:
    searcher = LocalSearch(Line(9), fitness=Single(("x",)), starts=3)
    searcher.rng = Script(1, 6, 4, [0, 1], [0, 1])  # type: ignore[assignment]
    assert drive(searcher, 6) == ["1", "6", "4", "5", "7", "8"]


def test_every_neighbour_is_evaluated_before_a_step() -> None:
    space = NatsTss()
    asked = drive(LocalSearch(space, fitness=Single(("x",)), seed=2), 25)
    assert sorted(asked[1:]) == sorted(space.neighbors(asked[0]))


def test_it_ends_when_everything_was_asked_for() -> None:
    searcher = LocalSearch(Line(30), fitness=Single(("x",)), seed=3)
    assert len(set(drive(searcher, 100))) == 30
    assert searcher.suggest("after") == Searcher.FINISHED


def test_starts_must_be_positive() -> None:
    with pytest.raises(UsageError) as caught:
        LocalSearch(Line(), fitness=Single(("x",)), starts=0)
    assert str(caught.value) == "starts of local_search must be from 1 to 1,000,000, got 0."
