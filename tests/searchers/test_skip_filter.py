from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import FilteredSpace, Single, SkipCount, SkipRea
from nas_ray.spaces import NatsTss
from tests.searchers.toy import drive

SKIPS = [4096, 6144, 3840, 1280, 240, 24, 1]
"""Number of NATS-TSS archs with 0 to 6 skip connections: binomial(6, k) 4^(6 - k)."""


@pytest.mark.parametrize("count", range(7))
def test_members_by_number_of_skips(count: int) -> None:
    assert len(list(FilteredSpace(NatsTss(), SkipCount(count, count)))) == SKIPS[count]


def test_default_is_none_or_one() -> None:
    assert SkipCount() == SkipCount(0, 1)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (1, 6), (2, 2), (5, 5), (6, 6)])
def test_every_arch_asked_is_inside(low: int, high: int) -> None:
    searcher = SkipRea(
        NatsTss(), fitness=Single(("x",)), population=5, sample=2, min_skips=low, max_skips=high, seed=1
    )
    stop_after = 60
    searcher.attach(stop=lambda: searcher.num_asked >= stop_after)
    asked = drive(searcher, stop_after)
    told = [event["row"]["arch"] for event in searcher.events if event["event"] == "tell"]
    assert asked
    assert len(told) == stop_after
    assert all(low <= arch.count("skip_connect") <= high for arch in told)


def test_a_parent_without_neighbours_inside_is_replaced() -> None:
    """Six skips is one arch without neighbours inside: the search goes on, with it alone."""
    inside = FilteredSpace(NatsTss(), SkipCount(6, 6))
    (only,) = inside
    assert inside.neighbors(only) == []
    assert inside.sample(np.random.default_rng(0)) == only


def test_rare_members_are_drawn_uniformly() -> None:
    inside = FilteredSpace(NatsTss(), SkipCount(5, 5))
    rng = np.random.default_rng(0)
    drawn = [inside.sample(rng) for _ in range(2400)]
    assert len(set(drawn)) == 24
    assert max(drawn.count(arch) for arch in set(drawn)) < 150


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (3, 2)])
def test_bounds_in_the_wrong_order(low: int, high: int) -> None:
    with pytest.raises(UsageError) as caught:
        SkipCount(low, high)
    assert str(caught.value) == (
        f"The skip filter needs 0 <= min-skips <= max-skips, got min-skips={low} and max-skips={high}."
    )


def test_a_filter_that_nothing_passes() -> None:
    with pytest.raises(UsageError) as caught:
        FilteredSpace(NatsTss(), SkipCount(7, 9))
    assert str(caught.value) == (
        "No arch of the space passes SkipCount(minimum=7, maximum=9); widen the filter."
    )
