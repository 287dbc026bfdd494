"""Searchers that ask a proxy first: naswot_search, area, warmup, move."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ray.tune.search import Searcher

from nas_ray.errors import UsageError
from nas_ray.searchers import SEARCHERS, Area, FilteredSpace, Move, NaswotSearch, Single, Warmup
from nas_ray.spaces import NatsTss
from tests.searchers.toy import Line, Script, by_length, drive

SEARCHED = NatsTss()


def smallest(archs: Sequence[str]) -> list[float]:
    return [-score for score in by_length(archs)]


def test_naswot_search_asks_for_the_pool_from_the_best() -> None:
    searcher = NaswotSearch(Line(9), fitness=Single(("x",)), proxy=smallest, pool=3)
    searcher.rng = Script(4, 7, 4, 2)  # type: ignore[assignment]  # 4 is drawn twice and scored once
    assert drive(searcher, 9) == ["2", "4", "7"]
    assert searcher.suggest("after") == Searcher.FINISHED


def test_naswot_search_of_a_small_space_scores_all_of_it() -> None:
    asked = drive(NaswotSearch(Line(9), fitness=Single(("x",)), proxy=smallest), 20)
    assert asked == [str(n) for n in range(9)]


def test_area_by_hand() -> None:
    """P = 2, S = 1, pool of 4; the proxy prefers small archs, the fitness large ones."""
    searcher = Area(Line(9), fitness=Single(("x",)), proxy=smallest, pool=4, population=2, sample=1)
    searcher.rng = Script(  # type: ignore[assignment]
        *(4, 7, 2, 8),  # the pool: its best two are 2 and 4
        *([1], 1),  # members 2 4: 4 wins; neighbours 3 5 -> 5
    )
    assert drive(searcher, 3) == ["2", "4", "5"]


def test_area_replaces_a_parent_without_children_by_a_random_arch() -> None:
    """0, 4 and 8 of a line have no neighbours; after the first population the pool is done with."""
    inside = FilteredSpace(Line(9), lambda arch: arch in "048")
    searcher = Area(inside, fitness=Single(("x",)), proxy=smallest, pool=3, population=1, sample=1)
    searcher.rng = Script(*(4, 0, 8), *([0], 8))  # type: ignore[assignment]
    assert drive(searcher, 2) == ["0", "8"]


def test_warmup_is_area_with_a_larger_pool() -> None:
    options = {"fitness": Single(("x",)), "proxy": smallest, "seed": 4, "population": 3}
    warm = Warmup(Line(5000), **options)  # type: ignore[arg-type]
    area = Area(Line(5000), pool=3000, **options)  # type: ignore[arg-type]
    assert drive(warm, 30) == drive(area, 30)


def test_move_by_hand() -> None:
    """P = 2, S = 2; the proxy chooses the child, and known archs are left out."""
    searcher = Move(Line(9), fitness=Single(("x",)), proxy=smallest, population=2, sample=2)
    searcher.rng = Script(  # type: ignore[assignment]
        *(4, 6),  # first population
        [0, 1],  # 6 wins; neighbours 5 7: the proxy takes 5; 4 dies
        [0, 1],  # members 6 5: 6 wins; its neighbour 5 is known: 7; 6 dies
        [0, 0],  # members 5 7: 5 wins; its neighbours 4 and 6 are known: 4 again; 5 dies
        [0, 0],  # members 7 4: 7 wins; 8, since 6 is known
    )
    assert drive(searcher, 5) == ["4", "6", "5", "7", "8"]
    told = [event["row"]["arch"] for event in searcher.events if event["event"] == "tell"]
    assert told == ["4", "6", "5", "7", "4", "8"]


def test_move_scores_as_many_proposals_as_it_may() -> None:
    scored: list[int] = []

    def count(archs: Sequence[str]) -> list[float]:
        scored.append(len(archs))
        return by_length(archs)

    searcher = Move(
        SEARCHED, fitness=Single(("x",)), proxy=count, population=2, sample=2, proposals=5, mutation="node"
    )
    drive(searcher, 40)
    assert set(scored) == {5}


def test_move_with_a_pool_is_warmed_up() -> None:
    searcher = Move(Line(9), fitness=Single(("x",)), proxy=smallest, pool=9, population=3)
    assert drive(searcher, 3) == ["0", "1", "2"]


@pytest.mark.parametrize("name", ["naswot_search", "area", "warmup", "move"])
def test_without_a_proxy_they_say_so(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} needs a proxy that is known before"):
        SEARCHERS[name](Line(), fitness=Single(("x",)))


def test_sizes() -> None:
    with pytest.raises(UsageError) as caught:
        Area(Line(), fitness=Single(("x",)), proxy=smallest, pool=20)
    assert str(caught.value) == ("pool must be at least the population of 50, got 20; score more archs.")
    with pytest.raises(UsageError, match="pool of naswot_search must be from 1 to 1,000,000, got 0."):
        NaswotSearch(Line(), fitness=Single(("x",)), proxy=smallest, pool=0)
    with pytest.raises(UsageError, match="proposals of move must be from 0 to 1,000,000, got -1."):
        Move(Line(), fitness=Single(("x",)), proxy=smallest, proposals=-1)
