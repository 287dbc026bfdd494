from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import LogRankSum, NormalisedSum, RankSum, Single, parse_fitness

ROWS = [
    {"arch": "a", "x": 1.0, "y": 30.0},
    {"arch": "b", "x": 3.0, "y": 10.0},
    {"arch": "c", "x": 2.0, "y": 10.0},
    {"arch": "d", "x": float("nan"), "y": 99.0},
    {"arch": "e", "x": float("inf"), "y": 99.0},
    {"arch": "f", "error": "x: broken"},
]


def test_single_is_the_score_and_maps_everything_undefined_to_worst() -> None:
    np.testing.assert_array_equal(Single(("x",))(ROWS), [1, 3, 2, -np.inf, -np.inf, -np.inf])


def test_rank_sum_by_hand() -> None:
    # ranks of x: d e f share 2 (not finite), a 4, c 5, b 6; of y: f 1, b c share 2.5, a 4, d e share 5.5
    np.testing.assert_array_equal(RankSum(("x", "y"))(ROWS), [8, 8.5, 7.5, -np.inf, -np.inf, -np.inf])


def test_rank_sum_does_not_change_under_monotone_maps_of_a_score() -> None:
    mapped = [{**row, "y": np.exp(row["y"] / 10)} for row in ROWS if "y" in row]
    np.testing.assert_array_equal(RankSum(("x", "y"))(mapped), RankSum(("x", "y"))(ROWS[:5]))


def test_log_rank_sum_by_hand() -> None:
    rows = ROWS[:3]  # ranks of x: 1 3 2; of y: 3 1.5 1.5
    expected = [math.log(1 / 3), math.log(1.5 / 3), math.log(2 / 3) + math.log(1.5 / 3)]
    np.testing.assert_allclose(LogRankSum(("x", "y"))(rows), expected)
    assert list(LogRankSum(("x", "y"))(ROWS)[3:]) == [-np.inf] * 3


def test_normalised_sum_by_hand() -> None:
    # The largest of x where it is defined is 3; of y it is 99, which stands in rows without x.
    expected = [1 / 3 + 30 / 99, 1 + 10 / 99, 2 / 3 + 10 / 99, -np.inf, -np.inf, -np.inf]
    np.testing.assert_allclose(NormalisedSum(("x", "y"))(ROWS), expected)
    negative = [{"x": -4.0}, {"x": -1.0}, {"x": -2.0}]
    np.testing.assert_allclose(NormalisedSum(("x",))(negative), [-1, -0.25, -0.5])
    np.testing.assert_array_equal(NormalisedSum(("x",))([{"x": 0.0}, {"x": 0.0}]), [0, 0])


KINDS = [Single(("x",)), *(kind(("x", "y")) for kind in (RankSum, LogRankSum, NormalisedSum))]


@pytest.mark.parametrize("fitness", KINDS)
def test_no_rows_or_nothing_defined(fitness: Callable[[list[dict[str, Any]]], np.ndarray]) -> None:
    assert len(fitness([])) == 0
    np.testing.assert_array_equal(fitness([{"x": float("nan"), "y": 1.0}]), [-np.inf])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, RankSum(("x", "y"))),
        ("x", Single(("x",))),
        ("single:y", Single(("y",))),
        ("rank_sum", RankSum(("x", "y"))),
        ("rank_sum:y", RankSum(("y",))),
        ("log_rank_sum:x,y", LogRankSum(("x", "y"))),
        ("normalised_sum", NormalisedSum(("x", "y"))),
        ("rank_sum:y, x", RankSum(("y", "x"))),
        (" rank_sum : y , x ", RankSum(("y", "x"))),
        (" x ", Single(("x",))),
    ],
)
def test_parse(text: str | None, expected: object) -> None:
    assert parse_fitness(text, ["x", "y"]) == expected


def test_the_only_score_is_the_default() -> None:
    assert parse_fitness(None, ["x"]) == Single(("x",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "ranksum:x",
            "Unknown fitness 'ranksum'. Did you mean 'rank_sum'? Known: log_rank_sum, mixed, mixed_ranks, "
            "mixed_raw, normalised_sum, rank_sum, single, x, y.",
        ),
        (
            "rank_sum:x,yy",
            "Fitness 'rank_sum:x,yy': Unknown score 'yy'. Did you mean 'y'? Known: x, y. "
            "Add it with --proxies.",
        ),
        ("single:x,y", "Fitness single takes exactly one score, got x, y; try rank_sum."),
    ],
)
def test_parse_errors(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_fitness(text, ["x", "y"])
    assert str(caught.value) == message


def test_mixed_is_the_weighted_sum_of_standardised_scores() -> None:
    rows = [{"a": 1.0, "b": 0.0, "c": 10.0}, {"a": 3.0, "b": 4.0, "c": 30.0}, {"a": float("nan"), "c": 9.0}]
    # over the two rows where all are defined every z is -1 or 1
    assert parse_fitness("mixed=0.25:a,b,c", ["a", "b", "c"])(rows).tolist() == [-1.0, 1.0, -np.inf]
    opposed = [{"a": 1.0, "c": 30.0}, {"a": 3.0, "c": 10.0}]
    assert parse_fitness("mixed=0.25:a,c", ["a", "c"])(opposed) == pytest.approx([-0.5, 0.5])
    assert str(parse_fitness("mixed:a,c", ["a", "c"])) == "mixed score of a and c (the last weighs 0.5)"


def test_the_released_mixture_is_the_sum_as_it_is() -> None:
    rows = [
        {"s": 39.0, "acc": 40.0},
        {"s": 38.8, "acc": 47.5},
        {"s": math.nan, "acc": 90.0},
        {"s": 1.5, "acc": 50.0},
    ]
    released = parse_fitness("mixed_raw=0.25:s,acc", ["s", "acc"])
    by_hand = [0.75 * 39 + 0.25 * 40, 0.75 * 38.8 + 0.25 * 47.5, -math.inf, 0.75 * 1.5 + 0.25 * 50]
    assert released(rows).tolist() == by_hand
    assert released(rows[1:2]).tolist() == by_hand[1:2]  # whatever else there is
    assert not getattr(released, "relative", True)
    assert str(released) == "sum as it is of s and acc (the last weighs 0.25)"


def test_the_mixture_of_ranks_by_hand() -> None:
    rows = [
        {"s": 39.0, "acc": 40.0},
        {"s": 39.0, "acc": 47.5},
        {"s": math.nan, "acc": 90.0},
        {"s": 1.5, "acc": 50.0},
    ]
    # of the three that are known: ranks of s 2.5 2.5 1, of acc 1 2 3
    by_hand = [0.75 * 2.5 / 3 + 0.25 / 3, 0.75 * 2.5 / 3 + 0.25 * 2 / 3, -math.inf, 0.75 / 3 + 0.25]
    assert parse_fitness("mixed_ranks=0.25:s,acc", ["s", "acc"])(rows) == pytest.approx(by_hand)


def test_standardised_by_hand_where_the_score_hardly_varies() -> None:
    rows = [{"s": 38.9, "acc": 10.0}, {"s": 39.0, "acc": 40.0}, {"s": 39.1, "acc": 31.0}]
    z_s = np.array([-1, 0, 1]) / math.sqrt(2 / 3)
    z_acc = np.array([-17, 13, 4]) / math.sqrt((17**2 + 13**2 + 4**2) / 3)
    mixed = parse_fitness("mixed=0.25:s,acc", ["s", "acc"])(rows)
    assert mixed == pytest.approx(0.75 * z_s + 0.25 * z_acc)
    raw = parse_fitness("mixed_raw=0.25:s,acc", ["s", "acc"])(rows)
    assert (np.argmax(mixed), np.argmax(raw)) == (2, 1)  # by the score, and by the accuracy


@pytest.mark.parametrize(
    "text",
    [
        "mixed_raw=2:a,b",
        "mixed_ranks=x:a,b",
        "mixed_raw=0.5:a",
        "mixed=2:a,b",
        "mixed=x:a,b",
        "mixed=0.5:a",
        "rank_sum=0.5:a,b",
        "mixed=nan:a,b",
    ],
)
def test_a_bad_weight_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="[Ff]itness|weight"):
        parse_fitness(text, ["a", "b"])
