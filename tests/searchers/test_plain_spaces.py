"""Searches of spaces that have two methods, sequences of any length, or children of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import limited
from nas_ray.rows import Row
from nas_ray.searchers import (
    SEARCHERS,
    LocalSearch,
    Move,
    RandomSearch,
    RegularizedEvolution,
    Single,
    SkipRea,
)
from nas_ray.spaces import Neighborhood, SearchSpace
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.testing import searcher_contract
from tests.searchers.toy import options_of
from tests.spaces.toy import Blocks, Layers, Widths

FITNESS = Single(("x",))
NEED_NO_NEIGHBORS = {"random_search": 8, "naswot_search": 8}
"""By name, archs of `Widths` that they find."""

NEEDS = {
    "rea": "RegularizedEvolution needs a space with the method neighbors, got Widths; add it or the methods "
    "of a SequenceSpace or DecisionSpace (nas_ray/spaces/base.py says what they return) or choose another "
    "way.",
    "nsga2": "nsga2 needs a space with the methods choices, decisions, assemble, got Widths; add them "
    "(nas_ray/spaces/base.py says what they return) or choose another way.",
}


def evaluate(arch: str, report: Callable[[Row], None]) -> None:
    report({"x": float(len(arch)), "seconds": 1.0, "error": None})


@pytest.mark.parametrize("name", sorted(SEARCHERS))
def test_a_space_of_two_methods_is_searched_or_refused_before_the_search(name: str) -> None:
    make = SEARCHERS[name]
    for space in (Widths(), FilteredSpace(Widths(), lambda arch: True)):
        assert not isinstance(space, Neighborhood)
        if name in NEED_NO_NEIGHBORS:
            searcher = make(space, fitness=FITNESS, **options_of(make))
            assert len(simulate(searcher, evaluate, num_samples=20)) == NEED_NO_NEIGHBORS[name]
            continue
        with pytest.raises(UsageError, match="needs a space with the method.* got Widths; add") as caught:
            make(space, fitness=FITNESS, **options_of(make))
        assert NEEDS.get(name, str(caught.value)) == str(caught.value)


def test_sequences_of_any_length_are_searched_at_random_and_by_evolution() -> None:
    space = Layers(6)
    found = simulate(RandomSearch(space, fitness=FITNESS), evaluate, num_samples=27)
    assert {arch.count("-") + 1 for arch in found["arch"]} == set(range(1, 7))
    searcher = RegularizedEvolution(space, fitness=FITNESS, population=6, sample=3, seed=1)
    evolved = simulate(searcher, evaluate, num_samples=80)
    assert evolved["x"].iloc[:6].mean() < evolved["x"].iloc[-20:].mean()
    assert evolved["arch"].iloc[int(np.argmax(evolved["x"]))] == "narrow-narrow-narrow-narrow-narrow-narrow"
    assert all(space.assemble(space.decisions(arch)) == arch for arch in evolved["arch"])


def test_a_limit_on_cost_holds_for_sequences() -> None:
    space = limited(Layers(6), max_params=450, num_classes=10)
    searcher = RegularizedEvolution(space, fitness=FITNESS, population=5, sample=2)
    rows = simulate(searcher, evaluate, num_samples=40)
    costs = {arch: sum(p.numel() for p in Layers(6).build(arch, 10).parameters()) for arch in rows["arch"]}
    assert max(costs.values()) <= 450
    assert len(costs) > 3


@pytest.mark.parametrize("make", [LocalSearch, SkipRea, Move], ids=lambda make: make.__name__)
def test_other_users_of_neighbours_take_sequences(make: type[RegularizedEvolution]) -> None:
    searcher = make(Layers(4), fitness=FITNESS, **options_of(make))
    assert simulate(searcher, evaluate, num_samples=30)["x"].max() == len("narrow-narrow-narrow-narrow")


TestEvolutionOfSequences = searcher_contract(RegularizedEvolution, space=Layers(6), population=5, sample=2)


def test_a_space_makes_the_children_of_two_winners() -> None:
    seen: list[tuple[str, ...]] = []

    class Told(Blocks):
        def sample_from(self, parents: Sequence[str], rng: np.random.Generator) -> str:
            seen.append(tuple(parents))
            return super().sample_from(parents, rng)

    def evaluate(arch: str, report: Callable[[Row], None]) -> None:
        report({"x": float(sum(2 ** int(n) for n in arch.split("+"))), "seconds": 1.0, "error": None})

    searcher = RegularizedEvolution(Told(), fitness=FITNESS, population=8, sample=3, seed=2)
    rows = simulate(searcher, evaluate, num_samples=60)
    children = rows["arch"].tolist()[8:]
    assert len(seen) == len(children)
    for parents, child in zip(seen, children, strict=True):
        assert len(parents) == 2
        assert set(child.split("+")) <= {n for parent in parents for n in parent.split("+")}
    assert any(first != second for first, second in seen)
    assert rows["x"].iloc[8:20].mean() > rows["x"].iloc[:8].mean()


def test_a_searcher_that_chooses_among_all_children_needs_neighbours_all_the_same() -> None:
    with pytest.raises(UsageError, match="^Move needs a space with the method neighbors, got Blocks"):
        Move(Blocks(), fitness=FITNESS, **options_of(Move))


def test_a_variant_of_evolution_that_wants_all_children_is_told_when_they_lack() -> None:
    class Greedy(RegularizedEvolution):
        def child(self, parent: str) -> str:
            return self.children(parent)[0][0]

    searcher = Greedy(Blocks(), fitness=FITNESS, population=1)
    with pytest.raises(UsageError, match="^Greedy needs a space with the method neighbors, got Blocks"):
        simulate(searcher, evaluate, num_samples=3)


def test_neighbours_of_the_author_come_before_those_of_sequences() -> None:
    class Near(Layers):
        def neighbors(self, arch: str) -> list[str]:
            return ["wide"]

    space: SearchSpace = Near(6)
    rows = simulate(RegularizedEvolution(space, fitness=FITNESS, population=3), evaluate, num_samples=9)
    assert set(rows["arch"].iloc[3:]) == {"wide"}
