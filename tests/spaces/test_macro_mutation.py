"""Mutations of archs of `macro`, and its limits and options."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers.evolution import RegularizedEvolution
from nas_ray.searchers.fitness import Single
from nas_ray.searchers.local_search import LocalSearch
from nas_ray.spaces.macro.chain import tokens_of
from nas_ray.spaces.macro.plan import steps_of
from nas_ray.spaces.macro.space import Macro
from nas_ray.spaces.named import open_space
from nas_ray.testing import driving

ARCH = "conv:64:7x7-bn-relu-max:3x3-conv:32:3x3-res-down:16-relu-to:4x4-linear:99-relu-dropout:0.5-head"
BOTH = pytest.mark.parametrize("space", [Macro(), Macro(variant="described")], ids=["released", "described"])


def words(arch: str) -> list[str]:
    return [str(token) for token in tokens_of(arch)]


def kept(parent: list[str], child: list[str]) -> int:
    return sum((Counter(parent) & Counter(child)).values())


@BOTH
@pytest.mark.parametrize(
    ("change", "longer", "lost"), [("change", 0, 1), ("insert", 1, 0), ("delete", -1, 1), ("move", 0, 0)]
)
def test_a_mutation_of_one_layer(space: Macro, change: str, longer: int, lost: int) -> None:
    rng, parent = np.random.default_rng(0), words(ARCH)
    children = [words(space.mutant(ARCH, rng, change)) for _ in range(60)]
    assert all("-".join(child) in space and child != parent for child in children)
    assert {len(child) - len(parent) for child in children} == {longer}
    losses = sorted(len(parent) - kept(parent, child) for child in children)
    assert losses[30] == lost  # in few a linear layer behind it comes to make a map, or a kernel to fit
    assert losses[-1] <= lost + 2
    assert len({*map("-".join, children)}) > (8 if change == "delete" else 25)


@BOTH
def test_a_part_that_is_drawn_anew(space: Macro) -> None:
    rng, parent = np.random.default_rng(0), words(ARCH)
    begins, longer = set[int](), set[int]()
    for _ in range(60):
        child = words(space.mutant(ARCH, rng, "part"))
        assert "-".join(child) in space
        begins.add(next(place for place, word in enumerate(child) if word != parent[place]))
        longer.add(len(child) - len(parent))
    assert len(begins) > 6
    assert {*range(-3, 4)} <= longer


@BOTH
def test_a_walk_of_mutations_stays_in_the_space(space: Macro) -> None:
    rng = np.random.default_rng(0)
    arch, met = "head", set[str]()
    for _ in range(300):
        arch = space.mutant(arch, rng)
        met.add(arch)
        assert arch in space, arch
    assert len(met) > 290


def test_what_cannot_change_comes_back() -> None:
    tight = Macro(layers=1, params=40_000)
    assert "head" in tight
    assert tight.mutant("head", np.random.default_rng(0)) == "head"
    assert tight.neighbors("head") == []
    with pytest.raises(
        UsageError, match="1,000 draws made none of at most 1 layers, 40,000 weights and 16 MiB"
    ):
        tight.sample(np.random.default_rng(0))


def test_neighbours_are_decided_by_the_arch() -> None:
    space = Macro()
    near = space.neighbors(ARCH)
    assert near == space.neighbors(ARCH)
    assert 20 < len(near) <= 30
    assert space.neighbors(near[0]) != near


def test_children_may_be_mutants() -> None:
    """As often as `mutation` says, of the parent of the higher rank twice as often as of the other."""
    space, rng = Macro(mutation=1.0), np.random.default_rng(0)
    other = "max:4x4-conv:8:5x5-to:4x4-head"
    of_first = 0
    for _ in range(300):
        child = words(space.sample_from([ARCH, other], rng, [2.0, 1.0]))
        of_first += kept(words(ARCH), child) > kept(words(other), child)
    assert abs(of_first / 300 - 2 / 3) < 0.09
    mixed = Macro(mutation=0.25)
    children = [mixed.sample_from([ARCH], rng) for _ in range(200)]
    near = [kept(words(ARCH), words(child)) >= 12 for child in children]
    assert abs(np.mean(near) - 0.2) < 0.1


def test_evolution_and_local_search_mutate() -> None:
    for searcher in (
        RegularizedEvolution(open_space("macro:mutation=1"), fitness=Single(("x",)), population=3, sample=2),
        LocalSearch(open_space("macro:as=described"), fitness=Single(("x",))),
    ):
        archs = driving.drive(searcher, 10, value=len)
        assert all(arch in searcher.space for arch in archs)
        assert len({*archs}) > 7


def test_limits_hold() -> None:
    space = open_space("macro:as=described,layers=40,params=300000,memory=2")
    rng = np.random.default_rng(0)
    for _ in range(15):
        arch = space.sample(rng)
        for one in (arch, space.mutant(arch, rng)):
            steps = steps_of(tokens_of(one), (3, 32, 32), 10)
            assert sum(step.layers for step in steps) <= 40
            assert sum(step.params for step in steps) <= 300_000
            assert sum(step.values for step in steps) * 4 <= 2 * 2**20
    assert space.for_image_size(16).rules == space.rules
    assert space.for_image_size(16).sample(np.random.default_rng(5)) == space.sample(np.random.default_rng(5))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("macro:as=publish", "Unknown variant of macro"),
        ("macro:layers=0", "The limit layers of macro must be a whole number of at least 1, got 0."),
        ("macro:layers=3000", "The limit layers of macro must be at most 2,000, got 3,000."),
        ("macro:memory=x", "The memory of macro must be a whole number, got 'x'."),
        ("macro:mutation=x", "The mutation of macro must be a number, got 'x'."),
        ("macro:mutation=2", "The mutation of macro must be a number from 0 to 1, got 2.0."),
        ("macro:as=released,as=described", "must give as once, as as=VALUE."),
        ("macro:variant=released", "option of the space macro"),
    ],
)
def test_options_that_cannot_be(name: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_space(name)
    assert says in str(caught.value)
