"""Pareto local search: what is asked for, by hand and on a front that is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nas_ray import simulate
from nas_ray.errors import UsageError
from nas_ray.report.true_front import TrueFront
from nas_ray.rows import Row
from nas_ray.searchers import ArchSearcher, ParetoLocalSearch, RandomSearch, Single
from nas_ray.searchers.pareto import first_front
from tests.searchers.toy import Grid, Word

GRID = Grid()


def gain(arch: str) -> float:
    return float(sum(map(int, arch)))


def cost(arch: str) -> float:
    return float(sum(int(letter) ** 2 for letter in arch))


def evaluate(arch: str, report: object) -> None:
    report({"gain": gain(arch), "cost": cost(arch), "seconds": 1.0, "error": None})  # type: ignore[operator]


def costs(arch: str) -> Row:
    return {"cost": cost(arch)}


def found(searcher: ParetoLocalSearch | RandomSearch, count: int) -> list[str]:
    return list(simulate(searcher, evaluate, num_samples=count)["arch"])


def weighed(arch: str) -> tuple[float, float]:
    """What a word gains and costs: letters late in it gain more, and all cost the same."""
    levels = np.array(["abcde".index(letter) for letter in arch])
    return float(levels @ np.arange(1, len(arch) + 1)), float(levels.sum())


@pytest.mark.parametrize("ahead", [False, True])
def test_after_its_start_it_asks_for_new_neighbours_of_the_front_alone(ahead: bool) -> None:
    searcher = ParetoLocalSearch(GRID, objectives="gain,-cost", start=4, ahead=ahead)
    searcher.know(costs)
    archs = found(searcher, 30)
    assert len(set(archs)) == 30
    for place in range(4, 30):
        known = archs[:place]
        values = np.array([[gain(arch), -cost(arch)] for arch in known])
        front = [known[at] for at in first_front(values)]
        around = {arch for member in front for arch in GRID.neighbors(member)} - set(known)
        assert archs[place] in around or not around


def test_it_finds_more_of_the_front_than_chance() -> None:
    every = np.array([weighed("".join(word)) for word in itertools.product("abcde", repeat=4)]) * [1, -1]
    truth, means = TrueFront(every), {}

    def look_up(arch: str, report: object) -> None:
        report({"gain": weighed(arch)[0], "cost": weighed(arch)[1], "error": None})  # type: ignore[operator]

    for name in ("chance", "neighbours", "costs"):
        ratios = []
        for seed in range(5):
            searcher: ArchSearcher = ParetoLocalSearch(Word(4), objectives="gain,-cost", seed=seed, start=10)
            if name == "costs":
                searcher.know(lambda arch: {"cost": weighed(arch)[1]})
            if name == "chance":
                searcher = RandomSearch(Word(4), fitness=Single(("gain",)), seed=seed)
            rows = simulate(searcher, look_up, num_samples=40)
            ratios.append(truth.ratio(rows[["gain", "cost"]].to_numpy() * [1, -1]))
        means[name] = np.mean(ratios)
    assert means["chance"] + 0.05 < min(means["neighbours"], means["costs"])


def test_what_is_known_beforehand_decides_by_hand() -> None:
    searcher = ParetoLocalSearch(GRID, objectives="gain,-cost", start=2, optimism=0.0)
    searcher.know(costs)
    searcher.attach()
    searcher.add([{"arch": arch, "gain": gain(arch), "cost": cost(arch)} for arch in ("000", "333")])
    # Gain from 0 to 9, cost from 27 to 0: a neighbour of 000 is thought to gain 0, one of 333 to gain 9, at
    # its own cost. The front (0, 0) and (9, 27) grows most by the cheapest neighbours of 333: 18 instead of
    # 27.
    assert searcher.ask() in {"033", "303", "330"}


def test_rows_have_what_is_known_beforehand() -> None:
    searcher = ParetoLocalSearch(GRID, objectives="gain,-cost", start=3)
    searcher.know(costs)
    rows = simulate(
        searcher, lambda arch, report: report({"gain": gain(arch), "error": None}), num_samples=12
    )
    assert rows["cost"].tolist() == [cost(arch) for arch in rows["arch"]]
    assert len(searcher.front()) > 1
    again = ParetoLocalSearch(GRID, objectives="gain,-cost", start=3)
    again.know(costs)
    again.replay(searcher.events)
    assert again.ask() == searcher.ask()


def test_three_objectives_and_failures() -> None:
    def report_of(arch: str, report: object) -> None:
        row = {"a": float(arch[0]), "b": float(arch[1]), "c": float(arch[2]), "seconds": 1.0}
        report({**row, "error": "broken" if arch == "000" else None})  # type: ignore[operator]

    searcher = ParetoLocalSearch(GRID, objectives="a,-b,c", start=6)
    searcher.know(lambda arch: {"b": float(arch[1])})
    rows = simulate(searcher, report_of, num_samples=64)
    assert set(rows["arch"]) == set(GRID)
    assert [row["arch"] for row in searcher.front()] == ["303"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start": 0}, "start of pareto_local_search must be from 1"),
        ({"ends": -1.0}, "ends of pareto_local_search must be"),
        ({"optimism": 2.0}, "optimism of pareto_local_search must be"),
        ({"objectives": "a,-a"}, "Each objective must be named once, got a twice"),
    ],
)
def test_bad_arguments_are_one_sentence(change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as error:
        ParetoLocalSearch(GRID, **{"objectives": "gain,-cost", **change})  # type: ignore[arg-type]
    assert said in str(error.value)
