from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import FilteredSpace, FreeRea, Single
from nas_ray.searchers.sampling import sample_distinct, sample_new
from nas_ray.searchers.variation import MAX_TRIES, crossover, mutate_each
from tests.searchers.toy import Grid, Script


def even(arch: str) -> bool:
    return sum(map(int, arch)) % 2 == 0


class Plain:
    """A space with nothing but samples."""

    def sample(self, rng: np.random.Generator) -> str:
        return "0"


def test_decisions_stay_inside() -> None:
    inside = FilteredSpace(Grid(), even)
    assert inside.choices() == Grid().choices()
    assert inside.groups() == ((0,), (1, 2))
    assert inside.decisions("112") == ("1", "1", "2")
    assert inside.assemble("112") == "112"
    with pytest.raises(UsageError, match=r"^The arch must pass .*even.*, got 111; decide otherwise\.$"):
        inside.assemble("111")


def test_a_filter_on_a_space_without_decisions_has_none() -> None:
    inside = FilteredSpace(Plain(), lambda arch: True)  # type: ignore[arg-type]
    with pytest.raises(
        UsageError, match="needs a space with the methods choices, decisions, assemble, got Plain"
    ):
        FreeRea(inside, fitness=Single(("x",)))


def test_a_crossover_outside_is_drawn_again_and_at_last_the_first_parent() -> None:
    inside = FilteredSpace(Grid(), even)
    script = Script([1, 0, 0], [1, 1, 0])  # 300 is odd, 330 is not
    assert crossover(inside, "000", "330", script) == "330"  # type: ignore[arg-type]
    only = FilteredSpace(Grid(), lambda arch: arch in ("000", "333"))
    script = Script(*[[1, 0, 0]] * MAX_TRIES)
    assert crossover(only, "000", "333", script) == "000"  # type: ignore[arg-type]
    assert script.numbers == []


def test_a_crossover_takes_each_decision_from_either_parent_alike() -> None:
    rng = np.random.default_rng(0)
    children = [crossover(Grid(), "000", "111", rng) for _ in range(4000)]
    counts = [children.count(arch) for arch in ("000", "001", "010", "011", "100", "101", "110", "111")]
    assert sum((count - 500) ** 2 / 500 for count in counts) < 24.3  # 99.9 % quantile, 7 degrees of freedom


def test_every_decision_mutates_with_its_chance() -> None:
    rng = np.random.default_rng(0)
    changes = [sum(c != "0" for c in mutate_each(Grid(), "000", 1 / 3, rng)) for _ in range(2700)]
    expected = [800, 1200, 600, 100]  # binomial(3, k) 2^(3 - k) / 27 of 2700
    assert sum((changes.count(k) - e) ** 2 / e for k, e in enumerate(expected)) < 16.3  # 99.9 %, 3 degrees
    only = FilteredSpace(Grid(), lambda arch: arch == "000")
    assert mutate_each(only, "000", 0.5, rng) == "000"


def test_samples_without_repetition() -> None:
    rng = np.random.default_rng(0)
    assert sorted(sample_distinct(Grid(), 100, rng)) == list(Grid())
    assert len(set(sample_distinct(Grid(), 10, rng))) == 10
    assert sample_new(Grid(), set(Grid()) - {"121"}, rng) == "121"
    assert sample_new(Grid(), set(Grid()), rng) is None
    assert sample_distinct(Plain(), 3, rng) == ["0"]  # type: ignore[arg-type]
