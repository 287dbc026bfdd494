from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import FreeRea, NormalisedSum, Single
from nas_ray.searchers.freerea import SCORES
from nas_ray.spaces import NatsTss
from nas_ray.spaces.named import open_space
from tests.searchers.toy import Grid, Script, drive


def test_hand_traced_run() -> None:
    """N = 2, n = 2 on archs whose fitness is the number that they read as."""
    searcher = FreeRea(Grid(), fitness=Single(("x",)), population=2, sample=2)
    searcher.rng = Script(  # type: ignore[assignment]
        *([3, 3, 0], [0, 0, 1]),  # first population 330 001
        [0, 1],  # tournament: both, 330 before 001
        4,  # neighbours of 330: 030 130 230 300 310 320 331 332 333 -> 310
        6,  # neighbours of 001: 000 002 003 011 021 031 101 201 301 -> 101
        [1, 1, 1],  # crossover of 330 and 001: 001, seen: youngest again
        # members by age 330 310 101 001: 330 leaves by age though it is the best, 001 by rank
        [1, 0],  # tournament: 310 before 101
        8,  # neighbours of 310: 010 110 210 300 311 312 313 320 330 -> 330, seen
        8,  # neighbours of 101: 001 100 102 103 111 121 131 201 301 -> 301
        [0, 0, 1],  # crossover of 310 and 101: 3 1 of the first, 1 of the second
    )
    assert drive(searcher, 6) == ["330", "001", "310", "101", "301", "311"]
    told = [event["row"] for event in searcher.events if event["event"] == "tell"]
    assert [row["arch"] for row in told if row["reused"]] == ["001", "330"]
    alive = [searcher.history[place]["arch"] for place in searcher._alive]
    assert alive == ["310", "101", "330", "301", "311"]


def test_a_known_arch_becomes_the_youngest_member_and_stays_one() -> None:
    searcher = FreeRea(Grid(), fitness=Single(("x",)))
    for trial, arch in enumerate(["000", "001", "000"]):
        searcher._tell(trial, arch, {"x": 1.0, "reused": trial == 2})
    assert searcher._alive == [1, 0]


def test_members_are_compared_among_themselves() -> None:
    """Beside the outlier b is better than a; between the two of them a is."""
    searcher = FreeRea(Grid(), fitness=NormalisedSum(("x", "y")), population=2)
    searcher.history = [
        {"arch": "000", "x": 10.0, "y": 1.0},
        {"arch": "001", "x": 5.0, "y": 1.4},
        {"arch": "002", "x": 1000.0, "y": 0.0},
    ]
    assert searcher._best([0, 1], 1) == [0]
    assert int(np.argmax(searcher.fitness_of([0, 1]))) == 1


def test_the_first_population_has_no_arch_twice() -> None:
    first = drive(FreeRea(Grid(), fitness=Single(("x",)), population=40), 40)
    assert len(set(first)) == 40


def test_the_paper_decides_the_defaults() -> None:
    searcher = FreeRea(NatsTss())
    assert (searcher.fitness, searcher.population, searcher.sample) == (SCORES, 100, 25)
    assert SCORES.names == ("naswot", "logsynflow", "skip")


def test_a_space_without_decisions() -> None:
    class Plain:
        def sample(self, rng: object) -> str:
            return "0"

    with pytest.raises(UsageError) as caught:
        FreeRea(Plain())  # type: ignore[arg-type]
    assert str(caught.value).startswith(
        "freerea needs a space with the methods choices, decisions, assemble, got Plain;"
    )


@pytest.mark.parametrize(("name", "kind"), [("grammar", "Grammar"), ("darts-cells", "DartsCells")])
def test_a_space_of_ours_without_decisions_is_sent_to_searchers_that_take_it(name: str, kind: str) -> None:
    with pytest.raises(UsageError) as caught:
        FreeRea(open_space(name))
    assert str(caught.value) == (
        "freerea needs a space whose archs are a fixed number of decisions, such as nats-tss, got "
        f"{kind}; search it with rea, local_search or random_search."
    )


def test_a_range_beside_archs_with_decisions_is_told() -> None:
    with pytest.raises(UsageError, match="^freerea needs settings that are choices, such as lr="):
        FreeRea(open_space("nats-tss@lr=log:0.01..1"))


@pytest.mark.parametrize(("population", "sample"), [(1, 5), (5, 1)])
def test_two_parents_need_two_members(population: int, sample: int) -> None:
    with pytest.raises(UsageError) as caught:
        FreeRea(Grid(), population=population, sample=sample)
    assert str(caught.value) == (
        f"population and sample of freerea must be from 2 to 1000000, got population={population} and "
        f"sample={sample}."
    )
