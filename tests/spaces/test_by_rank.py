"""Drawing the parts of an arch from ranked parents."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces import END, Macro, NatsTss, Product, RankedSpace
from nas_ray.spaces.by_rank import RankedSequences, by_rank, graph_of_decisions
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.graphs.properties import even
from nas_ray.spaces.macro.seeds import seeds
from nas_ray.spaces.macro.space import child_graph
from nas_ray.spaces.needs import ranked_space, sequence_space
from nas_ray.spaces.settings import arch_of, settings_of
from tests.searchers.toy import Grid
from tests.spaces.toy import Layers, Widths

DRAWS = 6_000


class Ramp:
    """Stands in for a random generator: the numbers of `DRAWS` equal parts of [0, 1), one after the other."""

    def __init__(self) -> None:
        self.numbers = itertools.cycle((part + 0.5) / DRAWS for part in range(DRAWS))

    def random(self) -> float:
        return next(self.numbers)


def shares(count: int, least: int) -> list[float | None]:
    rng = Ramp()
    drawn = Counter(by_rank(count, rng, least) for _ in range(DRAWS))  # type: ignore[arg-type]
    return [drawn[place] / DRAWS for place in range(count)]


def test_the_chance_is_the_rank_over_the_sum_of_ranks() -> None:
    assert shares(4, 0) == [0, 1 / 6, 2 / 6, 3 / 6]
    assert shares(3, 1) == [1 / 6, 2 / 6, 3 / 6]
    assert shares(2, 0) == [0, 1]
    thirty_three = [by_rank(33, np.random.default_rng(seed)) for seed in range(DRAWS)]
    best = thirty_three.count(32) / DRAWS
    assert best == pytest.approx(32 / 528, abs=4 * (0.06 * 0.94 / DRAWS) ** 0.5)  # .061, as in the notes


@pytest.mark.parametrize(("count", "least"), [(0, 0), (0, 1), (1, 0)])
def test_nobody_may_be_drawn(count: int, least: int) -> None:
    assert by_rank(count, np.random.default_rng(0), least) is None


def test_one_parent_alone_has_a_chance_as_described() -> None:
    assert by_rank(1, np.random.default_rng(0), least=1) == 0


def drawn(ranked: Sequence[str], least: int) -> Counter[str]:
    space, rng = RankedSequences(sequence_space(Grid(), "a test"), least), np.random.default_rng(0)
    return Counter(space.drawn_from(ranked, rng) for _ in range(DRAWS))


def about(share: float) -> object:
    return pytest.approx(share * DRAWS, abs=4 * (DRAWS * share * (1 - share)) ** 0.5)


def test_each_decision_is_drawn_from_the_parents_that_have_the_one_before() -> None:
    """Ranks 0, 1 and 2; both others than the worst begin with 1, and behind it they have ranks 0 and 1."""
    found = drawn(["000", "110", "122"], least=0)
    # behind 1 only 122 has a chance, and behind its 2 nobody has: the last decision is drawn from all four
    assert set(found) == {"120", "121", "122", "123"}
    assert [found[arch] for arch in sorted(found)] == [about(0.25)] * 4


def test_ranks_from_one_by_hand() -> None:
    """Behind 1 the second has 0 and 1, the third 2; behind 0 the second ends, so that the first is alone."""
    found = drawn(["000", "110", "122"], least=1)
    one = 5 / 6
    by_hand = {"000": 1 / 6, "122": one * 2 / 3, "100": one / 6, "110": one / 36, "111": one / 36}
    assert {arch: found[arch] for arch in by_hand} == {arch: about(share) for arch, share in by_hand.items()}
    assert set(found) == {*by_hand, "112"}
    assert found["112"] == about(one / 6 * 2 / 3)


OPS = {"a": "nor_conv_3x3", "b": "skip_connect", "c": "none"}


def cell(ops: str) -> str:
    return NatsTss().assemble([OPS[op] for op in ops])


def test_what_follows_is_drawn_by_how_often_it_does() -> None:
    space = ranked_space(NatsTss(), "a test", 1)
    parents = [cell("aaaaba")]  # a is followed by a 3 times, by b once
    for uniform, share in ((False, 3 / 4), (True, 1 / 2)):
        rng, count = np.random.default_rng(0), 1_500
        found = [space.drawn_from(parents, rng, uniform=uniform) for _ in range(count)]
        seconds = [NatsTss().decisions(arch)[1] for arch in found]
        assert set(seconds) == {OPS["a"], OPS["b"]}
        assert seconds.count(OPS["a"]) / count == pytest.approx(
            share, abs=4 * (share * (1 - share) / count) ** 0.5
        )
    assert graph_of_decisions("aaaaba") == {"": {"a": 1}, "a": {"a": 3, "b": 1, END: 1}, "b": {"a": 1}}


def test_equal_generators_draw_equal_archs() -> None:
    space = RankedSequences(sequence_space(NatsTss(), "a test"), 1)
    parents = [NatsTss().sample(np.random.default_rng(seed)) for seed in range(9)]
    first, second = (
        [space.drawn_from(parents, np.random.default_rng(seed)) for seed in range(20)] for _ in range(2)
    )
    assert first == second
    assert all(arch in NatsTss() for arch in first)


def test_sequences_of_any_length_end_where_their_parents_end() -> None:
    space = ranked_space(Layers(), "a test", 1)
    rng = np.random.default_rng(0)
    found = Counter(space.drawn_from(["narrow", "wide-wide-narrow"], rng) for _ in range(DRAWS))
    assert set(found) == {
        "narrow",
        *(f"{'wide-' * count}narrow" for count in (1, 2, 3)),
        "-".join(["wide"] * 4),
    }
    assert found["narrow"] == about(1 / 3)
    assert found["wide-narrow"] == about(2 / 3 * 1 / 2)


def test_what_a_filter_refuses_is_drawn_again() -> None:
    inside = FilteredSpace(Grid(), lambda arch: arch != "122")
    space, rng = ranked_space(inside, "a test", 1), np.random.default_rng(0)
    found = Counter(space.drawn_from(["000", "110", "122"], rng) for _ in range(500))
    assert set(found) == {"000", "100", "110", "111", "112"}
    only = FilteredSpace(Grid(), lambda arch: arch == "333")
    assert ranked_space(only, "a test", 1).drawn_from(["000", "000"], rng) == "333"


def test_a_space_without_parts_is_refused() -> None:
    with pytest.raises(
        UsageError, match="Lcmnas needs a space with the methods options, decisions, assemble"
    ):
        ranked_space(Widths(), "Lcmnas", 0)


MACRO = Macro()
PARENTS = [MACRO.sample(np.random.default_rng(seed)) for seed in range(6)]


def test_macro_draws_from_the_graphs_of_its_parents() -> None:
    assert isinstance(MACRO, RankedSpace)
    assert ranked_space(MACRO, "a test", 0) is MACRO
    first, second = (
        [MACRO.drawn_from(PARENTS, np.random.default_rng(seed)) for seed in range(5)] for _ in range(2)
    )
    assert first == second
    assert all(arch in MACRO for arch in first)
    by_fitness = [
        MACRO.sample_from(PARENTS, np.random.default_rng(seed), [1, 2, 3, 4, 5, 6]) for seed in range(5)
    ]
    assert first == by_fitness
    children = [MACRO.drawn_from(PARENTS, np.random.default_rng(s), uniform=True) for s in range(5)]
    assert all(arch in MACRO for arch in children)
    assert children != first


def test_even_graphs_have_the_same_edges_and_no_counts() -> None:
    for graph in (seeds()[0], child_graph(PARENTS[0])):
        flat = even(graph)
        assert {node: set(targets) for node, targets in graph.transitions.items()} == {
            node: set(targets) for node, targets in flat.transitions.items()
        }
        assert {count for targets in flat.transitions.values() for count in targets.values()} == {1}
        assert max(count for targets in graph.transitions.values() for count in targets.values()) > 1


def test_limits_and_settings_beside_macro_are_kept() -> None:
    shortest = sorted(PARENTS, key=len)[:3]
    small = FilteredSpace(MACRO, lambda arch: len(arch) < 1_000)
    assert isinstance(small, RankedSpace)
    rng = np.random.default_rng(0)
    assert all(len(small.drawn_from(shortest, rng)) < 1_000 for _ in range(5))
    product = Product(MACRO, "lr=0.1/0.01/0.001")
    assert isinstance(product, RankedSpace)
    points = [f"{arch}@lr=0.1" for arch in shortest]
    rates = [settings_of(product.drawn_from(points, rng))["lr"] for _ in range(30)]
    assert 0.25 < rates.count("0.1") / 30 < 0.8  # one in two moves to another value
    assert set(rates) <= {"0.1", "0.01", "0.001"}
    assert arch_of(product.drawn_from(points, rng)) in MACRO
