"""Weighted random search by its definition."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from nas_ray import simulate
from nas_ray.evaluation.base import Evaluator
from nas_ray.searchers import OptunaSearch, RandomSearch, RegularizedEvolution, Single, Wrs, WrsTwoPoint
from nas_ray.searchers.base import ArchSearcher
from nas_ray.spaces import NatsTss, Product, SettingSpace, settings_of
from nas_ray.spaces.one_arch import OneArch

SPACE = SettingSpace("x=0.0..1.0,y=0.0..1.0,z=0.0..1.0")


def valued(value: Callable[[dict[str, float]], float]) -> Evaluator:
    def evaluate(point: str, report: Callable[[dict[str, object]], None]) -> None:
        values = {name: float(text) for name, text in settings_of(point).items()}
        report({"f": value(values), "seconds": 1.0})

    return evaluate  # type: ignore[return-value]


WEIGHED = valued(lambda values: 3 * values["x"] + values["y"] + 0.01 * values["z"])


def run(searcher: ArchSearcher, count: int = 60, evaluate: Evaluator = WEIGHED) -> pd.DataFrame:
    return simulate(searcher, evaluate, num_samples=count)


def test_it_begins_as_random_search() -> None:
    rows = run(Wrs(SPACE, fitness=Single(("f",)), seed=3, initial=20), 20)
    assert (
        rows["arch"].tolist() == run(RandomSearch(SPACE, fitness=Single(("f",)), seed=3), 20)["arch"].tolist()
    )


def test_what_changes_is_nested_and_the_rest_is_of_the_best() -> None:
    searcher = Wrs(SPACE, fitness=Single(("f",)), initial=30, trees=16)
    rows = run(searcher, 120)
    assert searcher.chances is not None
    assert searcher.chances["x"] == 1
    assert 0 < searcher.chances["y"] < 0.6
    assert searcher.chances["z"] < 0.3
    changed = []
    for place in range(30, 120):
        before = rows.iloc[:place]
        best = settings_of(before["arch"].iloc[int(before["f"].to_numpy().argmax())])
        now = settings_of(rows["arch"].iloc[place])
        changed.append(frozenset(name for name in now if now[name] != best[name]))
    assert all("x" in names for names in changed)
    assert all(one <= other or other <= one for one in changed for other in changed)
    assert len(set(changed)) > 1


def test_without_importance_it_stays_random_search() -> None:
    searcher = Wrs(SPACE, fitness=Single(("f",)), initial=10)
    run(searcher, 30, valued(lambda values: 1.0))
    assert searcher.chances == {"x": 1, "y": 1, "z": 1}


def test_conditions_and_choices() -> None:
    space = SettingSpace("mode=a/b,x=0.0..1.0:if:mode:b,y=1..9")
    searcher = Wrs(space, fitness=Single(("f",)), initial=10, trees=8)

    def evaluate(point: str, report: Callable[[dict[str, object]], None]) -> None:
        values = settings_of(point)
        report({"f": float(values.get("x", 0.3)) + 0.1 * int(values["y"]), "seconds": 1.0})

    rows = run(searcher, 60, evaluate)  # type: ignore[arg-type]
    assert rows["error"].isna().all()
    assert all(point in space for point in rows["arch"])
    assert rows["f"].max() > 1.5


ONE = OneArch(NatsTss(), NatsTss().archs[5])
SPACES = {
    "one arch": Product(ONE, "lr=log:0.01..1,flip=true/false,cutout=0..8:if:flip:true"),
    "archs": Product(NatsTss(), "lr=log:0.01..1,batch_size=32/64"),
    "settings": SettingSpace("lr=log:0.01..1,batch_size=32/64,cutout=0..8:if:batch_size:32"),
}


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    "make",
    [
        RandomSearch,
        lambda space, **options: RegularizedEvolution(space, population=5, sample=2, **options),
        lambda space, **options: Wrs(space, initial=10, trees=4, **options),
        WrsTwoPoint,
        lambda space, **options: WrsTwoPoint(space, as_="released", **options),
        OptunaSearch,
    ],
    ids=["random", "rea", "wrs", "described", "released", "optuna"],
)
def test_searchers_take_settings_alone_beside_one_arch_and_beside_many(
    space: str, make: Callable[..., ArchSearcher]
) -> None:
    def evaluate(point: str, report: Callable[[dict[str, object]], None]) -> None:
        report({"f": -abs(float(settings_of(point)["lr"]) - 0.1), "seconds": 1.0})

    def searched(count: int) -> ArchSearcher:
        made = make(SPACES[space], fitness=Single(("f",)), seed=1)
        made_rows = run(made, count, evaluate)  # type: ignore[arg-type]
        assert len(made_rows) == count
        return made

    whole = searched(16)
    again = make(SPACES[space], fitness=Single(("f",)), seed=1)
    again.replay(whole.events[:15])
    run(again, 16, evaluate)  # type: ignore[arg-type]
    assert [row["arch"] for row in again.history] == [row["arch"] for row in whole.history]
