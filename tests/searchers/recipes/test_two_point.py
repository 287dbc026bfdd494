"""The search of autoNet, as described and as released, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import Single, WrsTwoPoint
from nas_ray.searchers.options import parse_options
from nas_ray.spaces import SettingSpace, settings_of

SQUARE = SettingSpace("x=0..300,y=0..300")


def asked(searcher: WrsTwoPoint, *scores: float) -> list[str]:
    """Asks once more than there are scores, each of which is told before the next."""
    points = []
    for number, score in enumerate([*scores, None]):
        config = searcher.suggest(str(number))
        assert isinstance(config, dict)
        points.append(config["arch"])
        if score is not None:
            searcher.on_trial_complete(str(number), {"f": score})
    return points


def thirds(
    *scores: float, seeds: int = 400, space: SettingSpace = SQUARE, **options: object
) -> list[list[str]]:
    return [
        asked(WrsTwoPoint(space, fitness=Single(("f",)), seed=seed, **options), *scores)  # type: ignore[arg-type]
        for seed in range(seeds)
    ]


def nearer_to_first(point: str) -> bool:
    values = settings_of(point)
    return int(values["x"]) + int(values["y"]) <= 300


def test_two_points_cut_the_diagonal_in_three() -> None:
    assert thirds(-1.0, -3.0, seeds=1)[0][:2] == ["@x=100,y=100", "@x=200,y=200"]
    logarithmic = SettingSpace("lr=log:0.001..1,mode=a/b/c/d")
    assert thirds(-1.0, -3.0, seeds=1, space=logarithmic)[0][:2] == [
        "@lr=0.009977,mode=b",
        "@lr=0.1002,mode=c",
    ]


@pytest.mark.parametrize(
    ("first", "second", "ceiling", "chance"),
    [
        (-1.0, -3.0, "auto", 0.75),
        (-3.0, -1.0, "auto", 0.25),
        (99.0, 97.0, 100.0, 0.75),
        (0.0, -2.0, "auto", 1.0),
    ],
)
def test_the_next_point_is_nearer_to_the_better_one(
    first: float, second: float, ceiling: str | float, chance: float
) -> None:
    near = np.mean([nearer_to_first(points[2]) for points in thirds(first, second, ceiling=ceiling)])
    assert near == pytest.approx(chance, abs=0.08)


def test_drawn_uniformly_on_its_side() -> None:
    """On the side of x1, the half of the square below the diagonal, the mean of x + y is 200."""
    sums = [
        sum(map(int, settings_of(points[2]).values()))
        for points in thirds(0.0, -2.0)
        if nearer_to_first(points[2])
    ]
    assert np.mean(sums) == pytest.approx(200, abs=12)


def test_the_best_two_of_all_count() -> None:
    searcher = WrsTwoPoint(SQUARE, fitness=Single(("f",)))
    points = asked(searcher, -5.0, -4.0, -1.0, float("nan"), -2.0)
    assert searcher._best_two() == [(points[2], 1.0), (points[4], 2.0)]


LOGGED = SettingSpace("lr=log:0.001..0.01,dropout=log:0.01..0.5,epochs=5.0..25.0")


def test_the_notebook_begins_where_its_log_says() -> None:
    """Its log: learning rates 0.002138 and 0.006010, so 33 % and 78 % of the scale."""
    points = thirds(-1.0, -3.0, seeds=1, space=LOGGED, as_="released")[0]
    first, second = (settings_of(point) for point in points[:2])
    assert (first["lr"], second["lr"]) == ("0.002138", "0.006012")
    assert (first["dropout"], second["dropout"]) == ("0.03636", "0.2106")
    assert (first["epochs"], second["epochs"]) == ("11.6", "20.58")


def test_the_notebook_leaves_both_points_out_and_favours_the_worse_one() -> None:
    """The logarithms to base 3 are -3.02 and -1.42, so `mid` is -2.22, and the ends -1.91 and -2.53."""
    drawn = [settings_of(points[2]) for points in thirds(-1.0, -3.0, space=LOGGED, as_="released")]
    dropout = np.array([float(values["dropout"]) for values in drawn])
    assert dropout.min() == pytest.approx(0.0624, abs=0.001)
    assert dropout.max() == pytest.approx(0.1228, abs=0.001)
    middle = np.sqrt(0.03636 * 0.2109)
    assert np.mean(dropout > middle) == pytest.approx(0.75, abs=0.08)  # although the smaller one is better
    lr = np.array([float(values["lr"]) for values in drawn])
    assert {lr.min(), lr.max()} == {0.001, 0.01}  # it leaves the range at both ends
    epochs = np.array([float(values["epochs"]) for values in drawn])  # above 0 the side is right
    assert np.mean(epochs < (11.6 + 20.58) / 2) == pytest.approx(0.75, abs=0.08)


def test_as_is_an_option_on_the_command_line() -> None:
    assert parse_options(WrsTwoPoint, ["as=released", "ceiling=0.5"]) == {"as_": "released", "ceiling": "0.5"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"as_": "relesed"}, "Unknown form of the searcher 'relesed'. Did you mean 'released'?"),
        ({"ceiling": "high"}, "The option ceiling must be auto or a number, got 'high'."),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        WrsTwoPoint(SQUARE, fitness=Single(("f",)), **options)  # type: ignore[arg-type]
    assert str(refused.value).startswith(said)
