from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import FilteredSpace, RankSum, RegularizedEvolution, Single
from nas_ray.searchers.variation import node_first_children
from nas_ray.spaces import NatsTss
from tests.searchers.toy import Grid, Line, Script, drive, drive_chunks


def test_hand_traced_run() -> None:
    """P = 3, S = 2 on archs 0..4, whose fitness is their number."""
    searcher = RegularizedEvolution(Line(5), fitness=Single(("x",)), population=3, sample=2)
    searcher.rng = Script(  # type: ignore[assignment]
        *(1, 3, 0),  # first population: 1 3 0
        *([0, 2], 1),  # members 1 3 0: tournament 1 against 0 -> 1; neighbours 0 2 -> 2; 1 dies
        *([1, 2], 0),  # members 3 0 2: tournament 0 against 2 -> 2; neighbours 1 3 -> 1 (known); 3 dies
        *([2, 2], 1),  # members 0 2 1: tournament 1 against itself -> 1; neighbours 0 2 -> 2 (known); 0 dies
        *([0, 1], 1),  # members 2 1 2: tournament 2 against 1 -> 2; neighbours 1 3 -> 3 (known); 2 dies
        *([2, 1], 1),  # members 1 2 3: tournament 3 against 2 -> 3; neighbours 2 4 -> 4
    )
    asked = drive(searcher, 5)
    assert asked == ["1", "3", "0", "2", "4"]  # what was known needed no evaluation
    told = [event["row"] for event in searcher.events if event["event"] == "tell"]
    assert [(row["arch"], row["reused"]) for row in told] == [
        ("1", False), ("3", False), ("0", False), ("2", False),
        ("1", True), ("2", True), ("3", True), ("4", False),
    ]  # fmt: skip


def test_hand_traced_run_with_two_archs_per_trial() -> None:
    """P = 2, S = 2 on archs 0..8: the archs of a trial come from the members known when it was filled."""
    searcher = RegularizedEvolution(Line(9), fitness=Single(("x",)), population=2, sample=2)
    searcher.rng = Script(  # type: ignore[assignment]
        *(4, 6),  # first population: 4 6
        *([0, 1], 1),  # members 4 6: tournament 4 against 6 -> 6; neighbours 5 7 -> 7
        *([0, 0], 0),  # members 4 6, since 7 has no row: 4 -> neighbours 3 5 -> 3; then 4 and 6 die
        *([0, 1], 1),  # members 7 3: tournament 7 against 3 -> 7; neighbours 6 8 -> 8
        *([1, 1], 0),  # members 7 3: 3 -> neighbours 2 4 -> 2; then 7 and 3 die
        *([0, 0], 0),  # members 8 2: 8 -> neighbour 7 (known, so told at once); 8 dies
        *([1, 0], 0),  # members 2 7: tournament 7 against 2 -> 7; neighbours 6 8 -> 6 (known); 2 dies
        *([0, 0], 0),  # members 7 6: 7 -> neighbours 6 8 -> 6 (known); 7 dies
        *([1, 1], 0),  # members 6 6: 6 -> neighbours 5 7 -> 5
    )
    assert drive_chunks(searcher, 10, 2) == [["4", "6"], ["7", "3"], ["8", "2"], ["5"]]
    told = [event["row"] for event in searcher.events if event["event"] == "tell"]
    assert [row["arch"] for row in told if row["reused"]] == ["7", "6", "6"]


def test_the_oldest_dies_even_if_it_is_the_best() -> None:
    searcher = RegularizedEvolution(Line(9), fitness=Single(("x",)), population=2, sample=2)
    for number, value in enumerate([8.0, 1.0, 2.0]):
        config = searcher.suggest(str(number))
        assert isinstance(config, dict)
        searcher.on_trial_complete(str(number), {"x": value})
    alive = [searcher.history[place]["x"] for place in searcher._alive]
    assert alive == [1.0, 2.0]


def test_children_are_uniform_over_the_neighbours_of_the_winner() -> None:
    space = NatsTss()
    searcher = RegularizedEvolution(space, fitness=Single(("x",)), population=1, sample=1, seed=3)
    first = searcher.suggest("0")
    assert isinstance(first, dict)
    searcher.on_trial_complete("0", {"x": 0.0})
    counts = dict.fromkeys(space.neighbors(first["arch"]), 0)
    for _ in range(2400):
        arch = searcher.ask()
        assert arch is not None
        counts[arch] += 1
    assert len(counts) == 24
    chi_square = sum((count - 100) ** 2 / 100 for count in counts.values())
    assert chi_square < 49.7  # 99.9 % quantile with 23 degrees of freedom


def test_it_waits_while_no_member_is_known() -> None:
    searcher = RegularizedEvolution(NatsTss(), fitness=Single(("x",)), population=2, sample=2)
    assert isinstance(searcher.suggest("a"), dict)
    assert isinstance(searcher.suggest("b"), dict)
    assert searcher.suggest("c") is None
    searcher.on_trial_complete("a", {"x": 1.0})
    assert isinstance(searcher.suggest("c"), dict)


def test_relative_fitness_looks_at_everything_evaluated() -> None:
    """Within the two members alone a and b tie on rank sums; the earlier rows decide for b."""
    searcher = RegularizedEvolution(Line(9), fitness=RankSum(("x", "y")), population=2, sample=2)
    searcher.history = [
        {"arch": "5", "x": 0.0, "y": 5.0},
        {"arch": "6", "x": 0.0, "y": 6.0},
        {"arch": "1", "x": 1.0, "y": 4.0},
        {"arch": "2", "x": 0.5, "y": 7.0},
    ]
    assert list(searcher.fitness_of([2, 3])) == [4 + 1, 3 + 4]


@pytest.mark.parametrize(("population", "sample"), [(0, 3), (5, 0)])
def test_sizes_must_be_positive(population: int, sample: int) -> None:
    with pytest.raises(UsageError) as caught:
        RegularizedEvolution(Line(), fitness=Single(("x",)), population=population, sample=sample)
    assert str(caught.value) == (
        f"population and sample must be from 1 to 1000000, got population={population} and sample={sample}."
    )


def test_hand_traced_run_without_replacement_in_which_the_worst_leaves() -> None:
    """P = 2, S = 3, so both members are in every tournament."""
    searcher = RegularizedEvolution(
        Line(9), fitness=Single(("x",)), population=2, sample=3, replacement=False, ageing=False
    )
    searcher.rng = Script(  # type: ignore[assignment]
        *(5, 3),  # first population: 5 3
        *([1, 0], 1),  # 5 wins; neighbours 4 6 -> 6; 3 leaves, though 5 is the oldest
        *([0, 1], 0),  # members 5 6: 6 wins; neighbours 5 7 -> 5 (known); the older 5 leaves
        *([0, 1], 1),  # members 6 5: 6 wins -> 7; 5 leaves
        *([0, 1], 1),  # members 6 7: 7 wins -> 8; 6 leaves
    )
    assert drive(searcher, 3) == ["5", "3", "6"]
    assert [searcher.history[place]["arch"] for place in searcher._alive] == ["5", "6"]
    assert drive(searcher, 2, start=3) == ["7", "8"]
    assert [searcher.history[place]["arch"] for place in searcher._alive] == ["7", "8"]


def test_a_tournament_without_replacement_has_no_member_twice() -> None:
    """With S = P the fittest always wins; with replacement it is missed at times."""
    for replacement, expected in ((False, {"3"}), (True, {"1", "2", "3"})):
        searcher = RegularizedEvolution(
            Line(9), fitness=Single(("x",)), population=3, sample=3, replacement=replacement
        )
        searcher.rng = Script(1, 2, 3)  # type: ignore[assignment]
        drive(searcher, 3)
        searcher.rng = np.random.default_rng(0)
        assert {searcher.history[searcher._winner()]["arch"] for _ in range(300)} == expected


def test_node_first_mutation_hits_the_edge_into_node_1_a_third_of_the_time() -> None:
    space = NatsTss()
    searcher = RegularizedEvolution(space, fitness=Single(("x",)), mutation="node", seed=5)
    arch = space[0]
    counts = [0] * 6
    for _ in range(3600):
        changed = [
            a != b for a, b in zip(space.decisions(arch), space.decisions(searcher.child(arch)), strict=True)
        ]
        assert sum(changed) == 1
        counts[changed.index(True)] += 1
    # Node 1 has one edge, node 2 two and node 3 three; each node is drawn in 1200 of 3600 cases.
    expected = [1200, 600, 600, 400, 400, 400]
    chi_square = sum((count - e) ** 2 / e for count, e in zip(counts, expected, strict=True))
    assert chi_square < 20.5  # 99.9 % quantile with 5 degrees of freedom


def test_node_first_chances_inside_a_filter_are_those_of_drawing_again() -> None:
    """Grid has nodes {a} and {b, c}; from 000, 1 in any place is outside, so 4 of 6 ninths remain."""
    inside = FilteredSpace(Grid(), lambda arch: "1" not in arch)
    archs, chances = node_first_children(inside, "000")
    assert archs == ["200", "300", "020", "030", "002", "003"]
    assert chances == pytest.approx([1 / 4, 1 / 4, 1 / 8, 1 / 8, 1 / 8, 1 / 8])


def test_node_first_mutation_needs_a_cell() -> None:
    with pytest.raises(UsageError) as caught:
        RegularizedEvolution(Line(), fitness=Single(("x",)), mutation="node")
    assert str(caught.value) == (
        "The mutation 'node' needs a space with the methods choices, decisions, assemble, groups, got Line "
        "without groups; add it (nas_ray/spaces/base.py says what they return) or choose another way."
    )


def test_an_unknown_mutation() -> None:
    with pytest.raises(UsageError) as caught:
        RegularizedEvolution(Line(), fitness=Single(("x",)), mutation="nodes")
    assert str(caught.value) == "Unknown mutation 'nodes'. Did you mean 'node'? Known: node, uniform."
