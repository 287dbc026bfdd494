from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import FilteredSpace, Single, SkipCount, SkipRea
from nas_ray.searchers.skip_rules import nearest_to_one, towards_output
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import to_arch, to_ops
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
    drawn = [inside.sample(rng) for _ in range(720)]
    assert len(set(drawn)) == 24
    assert max(drawn.count(arch) for arch in set(drawn)) < 60


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


FULL = {
    "0": "none", "s": "skip_connect", "1": "nor_conv_1x1", "3": "nor_conv_3x3", "p": "avg_pool_3x3"
}  # fmt: skip


def cell(short: str) -> str:
    """The arch with one letter per edge 0-1, 0-2, 1-2, 0-3, 1-3, 2-3."""
    return to_arch(tuple(FULL[letter] for letter in short))


def short(arch: str) -> str:
    letters = {op: letter for letter, op in FULL.items()}
    return "".join(letters[op] for op in to_ops(arch))


def told(searcher: SkipRea, steps: int) -> list[str]:
    searcher.attach(stop=lambda: searcher.num_asked >= steps)
    drive(searcher, steps)
    return [event["row"]["arch"] for event in searcher.events if event["event"] == "tell"]


def skips(arch: str) -> int:
    return arch.count("skip_connect")


@pytest.mark.parametrize(
    ("rule", "first", "later"),
    [
        ("described", {0, 1}, {0, 1}),
        ("naswot_code", {0, 1, 2, 3}, {1, 2, 3}),
        ("synflow_code", {0, 1}, set(range(7))),
        ("july_2022", {1}, {1}),
        ("at_least_one", {1, 2, 3}, set(range(1, 7))),
    ],
)
@pytest.mark.parametrize("mutation", ["uniform", "node"])
def test_number_of_skips_by_rule(rule: str, first: set[int], later: set[int], mutation: str) -> None:
    searcher = SkipRea(NatsTss(), fitness=Single(("x",)), seed=1, rule=rule, mutation=mutation)
    archs = told(searcher, 400)
    assert len(archs) == 400
    assert {skips(arch) for arch in archs[:50]} == first
    assert {skips(arch) for arch in archs[50:]} <= later
    if rule == "synflow_code":
        assert max(skips(arch) for arch in archs[50:]) > 1


def test_a_child_of_the_naswot_code_has_one_skip_or_loses_one() -> None:
    """The published loop never ends where the parent has three skips or more."""
    searcher = SkipRea(NatsTss(), fitness=Single(("x",)), rule="naswot_code")
    for parent, expected in [("000000", 1), ("s00000", 1), ("ss0000", 1), ("sss000", 2), ("ssssss", 5)]:
        archs, _ = searcher.children(cell(parent))
        assert {skips(arch) for arch in archs} == {expected}
    assert nearest_to_one(([], None)) == ([], None)


def test_chances_of_the_children_that_are_kept_sum_to_1() -> None:
    searcher = SkipRea(NatsTss(), fitness=Single(("x",)), rule="naswot_code", mutation="node")
    archs, chances = searcher.children(cell("s000s0"))
    # Edge 0-1 goes with node 1 (1/3) and edge 1-3 with node 3 (1/9); each has 4 other operations.
    assert [short(arch) for arch in archs] == [
        "0000s0", "1000s0", "3000s0", "p000s0", "s00000", "s00010", "s00030", "s000p0"
    ]  # fmt: skip
    assert chances == pytest.approx([3 / 16] * 4 + [1 / 16] * 4)


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ("013ps0", "013sp0"),  # 1-3 changes places with 0-3
        ("013p0s", "013s0p"),  # 2-3 changes places with 0-3
        ("s13p01", "p13s01"),  # 0-1 changes places with 0-3
        ("0s3p10", "0p1s30"),  # both edges of node 2 change places with 0-3 and 1-3
        ("03sp10", "0p1s30"),  # the same, after the skip was brought to the first edge of node 2
    ],
)
def test_the_skip_moves_to_the_output(parent: str, child: str) -> None:
    archs, chances = towards_output(NatsTss(), cell(parent))
    assert ([short(arch) for arch in archs], chances) == ([child], None)


def test_with_the_skip_at_the_output_edges_into_nodes_1_and_2_change() -> None:
    archs, chances = towards_output(NatsTss(), cell("013sp0"))
    assert [short(arch) for arch in archs] == [
        "113sp0", "313sp0", "p13sp0", "003sp0", "033sp0", "0p3sp0", "010sp0", "011sp0", "01psp0"
    ]  # fmt: skip
    assert chances == pytest.approx([1 / 6] * 3 + [1 / 12] * 6)


def test_an_unknown_rule_and_bounds_for_a_rule_without() -> None:
    with pytest.raises(UsageError) as caught:
        SkipRea(NatsTss(), fitness=Single(("x",)), rule="july")
    assert str(caught.value).startswith("Unknown skip rule 'july'. Did you mean 'july_2022'?")
    with pytest.raises(UsageError) as caught:
        SkipRea(NatsTss(), fitness=Single(("x",)), rule="at_least_one", max_skips=3)
    assert str(caught.value) == (
        "min-skips and max-skips belong to the skip rules described and synflow_code, got min-skips=0 and "
        "max-skips=3 for at_least_one; leave them out."
    )
