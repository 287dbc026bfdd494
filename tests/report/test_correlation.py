from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from scipy.stats import spearmanr

from nas_ray.report.correlation import (
    best_of_top,
    correlate,
    kendall,
    ndcg,
    spearman,
    spearman_top,
    to_markdown,
)  # fmt: skip
from nas_ray.report.correlation_latex import to_latex
from nas_ray.report.correlation_pictures import draw_bars, draw_ranks

RNG = np.random.default_rng(0)
ACCURACY = RNG.normal(90, 3, size=400)
TABLE = pd.DataFrame(
    {
        "arch": [f"a{n}" for n in range(400)],
        "good": ACCURACY + RNG.normal(0, 2, size=400),
        "useless": RNG.normal(size=400),
        "constant": 1.0,
        "good_seconds": 0.25,
    }
)
KNOWN = dict(zip(TABLE["arch"], ACCURACY, strict=True))


def test_spearman_against_scipy_and_by_hand() -> None:
    assert spearman(TABLE["good"].to_numpy(), ACCURACY) == pytest.approx(
        spearmanr(TABLE["good"], ACCURACY).statistic
    )
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])) == pytest.approx(0.5)
    assert np.isnan(spearman(np.ones(3), np.array([1.0, 3.0, 2.0])))


def test_kendall_by_hand() -> None:
    # Of six pairs five agree.
    assert kendall(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])) == pytest.approx(4 / 6)


def test_top_tenth_is_by_accuracy() -> None:
    accuracy = np.arange(60.0)
    scores = np.where(accuracy < 54, accuracy, -accuracy)  # reversed within the best six
    assert spearman_top(scores, accuracy) == pytest.approx(-1)
    assert np.isnan(spearman_top(scores[:30], accuracy[:30]))  # the order of three says nothing


def test_ndcg_by_hand() -> None:
    accuracy, scores = np.array([0.0, 50.0, 100.0]), np.array([3.0, 2.0, 1.0])
    discounts = 1 / np.log2(np.array([2.0, 3.0, 4.0]))
    assert ndcg(scores, accuracy) == pytest.approx(
        (0.5 * discounts[1] + discounts[2]) / (discounts[0] + 0.5 * discounts[1])
    )
    assert ndcg(accuracy, accuracy) == pytest.approx(1)


def test_best_of_top() -> None:
    scores, accuracy = np.array([5.0, 9.0, 7.0, 1.0]), np.array([80.0, 90.0, 95.0, 99.0])
    assert [best_of_top(scores, accuracy, k) for k in (1, 2)] == [90.0, 95.0]
    assert np.isnan(best_of_top(scores, accuracy, 4))  # every arch, whatever the score


def test_undefined_is_worst_and_counted() -> None:
    """Making the worst arch undefined changes nothing; making the best undefined costs."""
    names = ["good"]
    worst, best = TABLE["good"].idxmin(), TABLE["good"].idxmax()
    plain = correlate(TABLE, KNOWN, names, resamples=20)
    for value in (np.nan, -np.inf, np.inf):
        table = TABLE.assign(good=TABLE["good"].where(TABLE.index != worst, value))
        changed = correlate(table, KNOWN, names, resamples=20)
        assert changed["undefined"][0] == 1
        assert changed["spearman"][0] == pytest.approx(plain["spearman"][0])
    table = TABLE.assign(good=TABLE["good"].where(TABLE.index != best, np.nan))
    assert correlate(table, KNOWN, names, resamples=20)["spearman"][0] < plain["spearman"][0]


def test_intervals_hold_the_value_and_are_equal_for_equal_seeds() -> None:
    one = correlate(TABLE, KNOWN, ["good", "useless"], resamples=200)
    assert (one["spearman_low"] < one["spearman"]).all()
    assert (one["spearman"] < one["spearman_high"]).all()
    assert one["spearman_low"][0] > 0.7
    assert one["spearman_low"][1] < 0 < one["spearman_high"][1]
    pd.testing.assert_frame_equal(one, correlate(TABLE, KNOWN, ["good", "useless"], resamples=200))


def test_a_constant_score_has_no_correlation() -> None:
    row = correlate(TABLE, KNOWN, ["constant"], resamples=20).iloc[0]
    assert row[["spearman", "ndcg", "best_of_top1", "ndcg_low"]].isna().all()


def test_a_score_without_a_column_is_undefined() -> None:
    row = correlate(TABLE, KNOWN, ["missing"], resamples=20).iloc[0]
    assert row["undefined"] == len(TABLE)
    assert np.isnan(row["spearman"])


def test_too_few_archs() -> None:
    with pytest.raises(ValueError, match="at least 10 archs with known accuracy are needed, got 3"):
        correlate(TABLE[:3], KNOWN, ["good"])


def test_markdown_and_pictures(tmp_path: Path) -> None:
    table = correlate(TABLE, KNOWN, ["useless", "good"], resamples=20)
    lines = to_markdown(table, "400 archs").splitlines()
    assert lines[0] == "400 archs"
    assert len(lines) == 6
    assert lines[4].startswith("| `good` | 0.")
    assert "| 0.25 | 0 |" in lines[4]
    draw_bars({"cifar10": table, "cifar100": table}, tmp_path / "bars.png", "400 archs")
    draw_ranks(TABLE, KNOWN, ["good", "useless", "missing"], tmp_path / "ranks.png", "400 archs")
    for name in ("bars", "ranks"):
        assert (imread(tmp_path / f"{name}.png")[..., :3].min(axis=2) < 0.9).mean() > 0.01


def test_latex_has_intervals_and_the_best_in_bold() -> None:
    table = correlate(TABLE.rename(columns={"good": "my_good"}), KNOWN, ["useless", "my_good"], resamples=20)
    lines = to_latex(table, "400 archs & more", "correlations-x").splitlines()
    (head,) = (place for place, line in enumerate(lines) if line.startswith(r"\texttt{my\_good}"))
    row = table.set_index("score").loc["my_good"]
    assert lines[head].split(" & ")[1] == rf"$\mathbf{{{row['spearman']:.3f}}}$"
    assert f"[{row['spearman_low']:.3f}, {row['spearman_high']:.3f}]" in lines[head + 1]
    assert lines[head + 2].startswith(r"\texttt{useless}")  # the best comes first
    assert r"\mathbf" not in lines[head + 2].split(" & ")[1]
    assert r"\caption{400 archs \& more. " in "\n".join(lines)
