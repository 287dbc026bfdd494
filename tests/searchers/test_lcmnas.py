"""LCMNAS: generations, elites, seeds, ablations, and what a sample sees that is asked early."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import ArchSearcher, Lcmnas, RandomSearch, Single, parse_fitness
from nas_ray.searchers.named import make_searcher
from nas_ray.spaces import Macro, NatsTss
from tests.searchers.toy import Grid, drive

X = Single(("x",))


class Told:
    """A space whose archs are numbers; it notes what it was to draw from, and draws the next number."""

    def __init__(self) -> None:
        self.next = 0
        self.calls: list[tuple[tuple[str, ...], bool]] = []

    def sample(self, rng: np.random.Generator) -> str:
        self.next += 1
        return str(self.next)

    def drawn_from(self, ranked: Sequence[str], rng: np.random.Generator, *, uniform: bool = False) -> str:
        self.calls.append((tuple(ranked), uniform))
        return self.sample(rng)

    def build(self, arch: str, num_classes: int) -> Any:
        raise NotImplementedError


def made(**options: Any) -> tuple[Told, Lcmnas]:
    space = Told()
    return space, Lcmnas(space, fitness=X, **{"population": 5, "elite": 0.4, **options})


def parents_of(space: Told) -> list[tuple[str, ...]]:
    return [ranked for ranked, _ in space.calls]


def test_generations_by_hand() -> None:
    """Five archs, two of them an elite: a generation is three samples. Fitness is the number of an arch, but
    for 3 and 6, which fail."""
    space, searcher = made(variant="released")
    for number in range(12):
        config = searcher.suggest(str(number))
        assert isinstance(config, dict)
        arch = int(config["arch"])
        row = {"x": math.nan, "error": "broken"} if arch in (3, 6) else {"x": float(-arch)}
        searcher.on_trial_complete(str(number), row)
    # 1 2 3 come from the space; then the parents are the generation, the worst first, without what failed
    assert parents_of(space) == [
        *[("2", "1")] * 3,
        *[("5", "4", "2", "1")] * 3,  # the elite of the first generation, and what came of it but for 6
        *[("9", "8", "7", "2", "1")] * 3,  # the elite is 2 and 1 again, whose rows are no longer new
    ]


def test_the_first_generation_as_described_is_whole() -> None:
    for variant, size in (("released", 3), ("described", 5)):
        space, searcher = made(variant=variant)
        drive(searcher, size)
        assert not space.calls
        drive(searcher, 1, start=size)
        assert len(space.calls) == 1


def given(*archs: int) -> list[dict[str, Any]]:
    return [{"arch": str(arch), "x": float(arch)} for arch in archs]


@pytest.mark.parametrize("variant", ["released", "described"])
def test_seeds_that_are_given_are_the_first_parents_and_drop_out_as_released(variant: str) -> None:
    space, searcher = made(variant=variant)
    searcher.add(given(900, 700, 800))
    drive(searcher, 12)
    first, second, third = (set(parents_of(space)[start : start + 3]) for start in (0, 3, 6))
    assert first == {("700", "800", "900")}
    assert second == {("1", "2", "3", "800", "900")}  # the best seeds hold the places of the elite
    elite = ("2", "3") if variant == "released" else ("800", "900")
    assert third == {(*sorted({"4", "5", "6", *elite}, key=int),)}


def test_a_sample_asked_early_sees_the_parents_of_its_generation_and_late_rows_join_the_next() -> None:
    space, searcher = made(variant="released")
    for number in range(7):
        assert isinstance(searcher.suggest(str(number)), dict)
        if number in (1, 2):  # of 1, 2 and 3 the last two have come when the first generation is asked for
            searcher.on_trial_complete(str(number), {"x": float(number)})
    assert parents_of(space) == [("2", "3")] * 4  # nothing more has come when the next should begin
    searcher.on_trial_complete("0", {"x": 9.0})
    for number in (7, 8):
        searcher.suggest(str(number))
    searcher.suggest("9")
    assert parents_of(space)[4:] == [("2", "3"), ("2", "3"), ("2", "3", "1")]


def test_where_everything_failed_the_space_is_drawn_from() -> None:
    space, searcher = made()
    for number in range(20):
        searcher.suggest(str(number))
        searcher.on_trial_complete(str(number), {"x": math.nan, "error": "broken"})
    assert space.next == 20
    assert not space.calls


def test_an_arch_that_comes_twice_is_two_parents_as_released_and_one_as_described() -> None:
    class Twice(Told):
        def sample(self, rng: np.random.Generator) -> str:
            super().sample(rng)
            return str((self.next + 1) // 2)

    for variant, ranked in (("released", ("1", "1", "2")), ("described", ("1", "2", "3"))):
        space = Twice()
        drive(
            Lcmnas(space, fitness=X, population=5, elite=0.4, variant=variant),
            4 if variant == "released" else 6,
        )
        assert space.calls[0][0] == ranked


@pytest.mark.parametrize(
    ("ablation", "uniform", "fixed"),
    [("none", False, True), ("random-layer", True, True), ("random-model", False, False)],
)
def test_ablations_leave_layers_or_parents_to_chance(ablation: str, uniform: bool, fixed: bool) -> None:
    space, searcher = made(population=20, ablation=ablation)
    drive(searcher, 36)
    assert {how for _, how in space.calls} == {uniform}
    assert (len(set(parents_of(space)[:12])) == 1) == fixed
    assert len({frozenset(ranked) for ranked in parents_of(space)[:12]}) == 1


def test_a_fitness_that_is_relative_ranks_among_everything() -> None:
    searcher = Lcmnas(NatsTss(), fitness=parse_fitness("mixed=0.5:x,y", ["x", "y"]), population=10)
    for number in range(40):
        config = searcher.suggest(str(number))
        assert isinstance(config, dict)
        searcher.on_trial_complete(
            str(number), {"x": float(config["arch"].count("conv")), "y": -float(number)}
        )
    wanted = searcher.fitness(searcher.history)[searcher._parents]
    assert len(wanted) >= 9
    # they were ranked when their generation began, among fewer rows: the order may have changed a little
    assert np.corrcoef(wanted, np.arange(len(wanted)))[0, 1] > 0.7


def test_it_finds_more_than_chance() -> None:
    """Archs of NATS-TSS with many 3x3 convolutions are best; random parents find fewer, and random archs."""

    def best(searcher: ArchSearcher) -> float:
        for number in range(150):
            config = searcher.suggest(str(number))
            if not isinstance(config, dict):  # as released it soon draws what is known
                break
            searcher.on_trial_complete(str(number), {"x": float(config["arch"].count("nor_conv_3x3"))})
        return float(np.mean(sorted(row["x"] for row in searcher.history)[-20:]))

    def mean(**options: Any) -> float:
        made = (Lcmnas(NatsTss(), fitness=X, population=20, seed=seed, **options) for seed in range(2))
        return float(np.mean([best(searcher) for searcher in made]))

    chance = best(RandomSearch(NatsTss(), fitness=X))
    for variant in ("released", "described"):
        assert mean(variant=variant) > max(chance, mean(variant=variant, ablation="random-model")) + 0.5


def test_a_known_sample_is_drawn_again_as_described() -> None:
    counts = {}
    for variant in ("released", "described"):
        searcher = Lcmnas(NatsTss(), fitness=X, population=20, variant=variant)
        searcher.attach(stop=lambda made=searcher: made.num_asked >= 200)
        drive(searcher, 200)
        counts[variant] = len(searcher.history)
    assert counts["released"] < 150
    assert counts["described"] > 190


def test_macro_nets_are_drawn_from_nets_and_a_search_that_is_cut_goes_on() -> None:
    space = Macro()

    def searcher() -> Lcmnas:
        made = Lcmnas(space, fitness=X, population=6, elite=0.34, seed=3, variant="described")
        made.attach(stop=lambda: made.num_asked >= 14)
        return made

    first, second, resumed = (searcher() for _ in range(3))
    asked = drive(first, 20)
    assert asked == drive(second, 20)
    assert all(arch in space for arch in asked)
    assert first._from is space
    resumed.replay(first.events[:17])  # in the second generation
    drive(resumed, 20)
    assert resumed.events == first.events
    assert len(first.events) == 28


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 0}, "population must be from 1 to 1000000, got 0."),
        ({"elite": 1.0}, "The option elite of the searcher must be"),
        ({"variant": "realised"}, "Unknown variant of lcmnas 'realised'. Did you mean 'released'?"),
        ({"ablation": "layer"}, "Unknown ablation 'layer'."),
    ],
)
def test_bad_options_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Lcmnas(Grid(), fitness=X, **options)
    assert str(caught.value).startswith(message)


def test_it_is_named_and_as_is_an_option_on_the_command_line() -> None:
    searcher = make_searcher(
        "lcmnas", Grid(), fitness=X, texts=["as=described,population=7,ablation=random-model"]
    )
    assert isinstance(searcher, ArchSearcher)
    assert isinstance(searcher, Lcmnas)
    assert (searcher.released, searcher.population, searcher.ablation) == (False, 7, "random-model")
