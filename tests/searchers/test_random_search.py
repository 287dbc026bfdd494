from __future__ import annotations

from ray.tune.search import Searcher

from nas_ray.searchers import RandomSearch, Single
from nas_ray.spaces import NatsTss
from tests.searchers.toy import Line, drive


def test_it_draws_every_arch_once_and_then_finishes() -> None:
    searcher = RandomSearch(Line(40), fitness=Single(("x",)), seed=1)
    assert sorted(drive(searcher, 100), key=int) == [str(n) for n in range(40)]
    assert searcher.suggest("after") == Searcher.FINISHED


def test_draws_are_uniform() -> None:
    first = [drive(RandomSearch(Line(4), fitness=Single(("x",)), seed=seed), 1)[0] for seed in range(2000)]
    assert all(abs(first.count(str(n)) - 500) < 70 for n in range(4))


def test_another_seed_gives_other_archs() -> None:
    space, fitness = NatsTss(), Single(("x",))
    one, two = (drive(RandomSearch(space, fitness=fitness, seed=seed), 20) for seed in (0, 1))
    assert one != two


class Constant:
    """A space that cannot be listed and gives one arch only."""

    def sample(self, rng: object) -> str:
        return "0"


def test_a_space_that_cannot_be_listed_and_only_repeats_ends() -> None:
    assert drive(RandomSearch(Constant(), fitness=Single(("x",))), 5) == ["0"]  # type: ignore[arg-type]
