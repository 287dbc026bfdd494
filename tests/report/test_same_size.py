"""What scores say beyond size, against pairs counted one by one and residuals of ranks."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy.stats import rankdata

from nas_ray.report.correlation import correlate, to_markdown
from nas_ray.report.correlation_latex import to_latex
from nas_ray.report.correlation_table import print_table
from nas_ray.report.same_size import (
    baselines_of,
    concordance,
    concordance_interval,
    partial,
    weighed_concordance,
)  # fmt: skip
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_tss import to_ops
from nas_ray.spaces.plans import plan_cell


def by_pairs(scores: np.ndarray, accuracy: np.ndarray, params: np.ndarray, counts: np.ndarray) -> float:
    """Counts every pair of archs; an arch that is there twice makes no pair with itself."""
    agree = pairs = 0.0
    for i, j in itertools.combinations(range(len(scores)), 2):
        small, large = sorted((params[i], params[j]))
        if large - small < large / 10:
            weight = counts[i] * counts[j]
            up, down = (
                (scores[i] > scores[j], accuracy[i] > accuracy[j]),
                (scores[i] < scores[j], accuracy[i] < accuracy[j]),
            )
            agree += weight * (all(up) or all(down))
            agree -= weight * ((up[0] and down[1]) or (down[0] and up[1]))
            pairs += weight
    return agree / pairs


def drawn(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns scores with ties and undefined ones, accuracies with ties, and sizes a tenth apart."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(8, size=size).astype(float)
    scores[rng.random(size) < 0.1] = -np.inf
    return scores, np.round(rng.normal(90, 3, size), 1), rng.choice([90.0, 91, 99, 100, 101, 110, 150], size)


@pytest.mark.parametrize("size", [12, 90, 300])
def test_concordance_against_every_pair(size: int) -> None:
    """Also where several blocks of rows are looked at."""
    known = drawn(size)
    assert concordance(*known) == pytest.approx(by_pairs(*known, np.ones(size)), abs=1e-12)
    counts = np.random.default_rng(1).multinomial(size, np.full(size, 1 / size), size=2)
    found = weighed_concordance(*known, counts.astype(np.float32))
    assert found.tolist() == pytest.approx([by_pairs(*known, one) for one in counts], abs=1e-12)


def test_concordance_by_hand() -> None:
    """A tenth of the larger apart is another size: 90 and 100 are, 91 and 100 are not."""
    accuracy = np.array([1.0, 2.0, 3.0])
    assert concordance(np.array([1.0, 3.0, 2.0]), accuracy, np.array([90, 91, 100])) == 0  # of two pairs one
    assert concordance(accuracy, accuracy, np.array([90, 91, 100])) == 1
    assert concordance(np.array([1.0, 1.0, 1.0]), accuracy, np.array([90, 91, 100])) == 0
    assert np.isnan(concordance(accuracy, accuracy, np.array([1, 10, 100])))


def test_size_alone_says_nothing_of_archs_of_one_size() -> None:
    rng = np.random.default_rng(0)
    params = rng.choice([100.0, 200.0, 400.0], 400)
    accuracy = params + rng.normal(size=400)
    assert concordance(params, accuracy, params) == 0
    assert concordance(accuracy, accuracy, params) == 1


def test_the_interval_is_that_of_draws() -> None:
    known = drawn(60)
    low, high = concordance_interval(*known, resamples=400, confidence=0.9, seed=3)
    assert low < concordance(*known) < high
    rng = np.random.default_rng(7)
    counts = [np.bincount(rng.integers(60, size=60), minlength=60) for _ in range(300)]
    theirs = np.quantile([by_pairs(*known, one) for one in counts], [0.05, 0.95])
    assert [low, high] == pytest.approx(theirs, abs=0.04)
    assert concordance_interval(*known, resamples=400, confidence=0.9, seed=3) == (low, high)


def residuals(ranks: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Returns what a straight line in `given` leaves of `ranks`."""
    design = np.stack([np.ones_like(given), given], axis=1)
    return ranks - design @ np.linalg.lstsq(design, ranks, rcond=None)[0]


def test_partial_against_residuals_of_ranks() -> None:
    for seed in range(5):
        scores, accuracy, given = drawn(80, seed)
        a, b = (residuals(rankdata(one), rankdata(given)) for one in (scores, accuracy))
        assert partial(scores, accuracy, given) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)


def test_partial_of_what_is_given_alone() -> None:
    rng = np.random.default_rng(0)
    given = rng.normal(size=200)
    accuracy = given + rng.normal(size=200)
    assert np.isnan(partial(np.exp(given), accuracy, given))
    assert abs(partial(given + 3 * rng.normal(size=200), accuracy, given)) < 0.2
    assert partial(accuracy, accuracy, given) == pytest.approx(1)
    assert np.isnan(partial(np.ones(200), accuracy, given))


def table_of(**columns: np.ndarray) -> tuple[pd.DataFrame, dict[str, float]]:
    rng = np.random.default_rng(0)
    archs = [f"a{n}" for n in range(120)]
    accuracy = rng.normal(90, 3, 120)
    scores = pd.DataFrame(
        {"arch": archs, "good": accuracy + rng.normal(size=120), "constant": 1.0, **columns}
    )
    return scores, dict(zip(archs, accuracy, strict=True))


PARAMS = np.random.default_rng(4).integers(100, 200, 120).astype(float)
LIVE = np.random.default_rng(5).integers(-3, 6, 120).astype(float)


def test_the_columns_of_a_table() -> None:
    scores, known = table_of(params=PARAMS, live_ops=LIVE)
    table = correlate(scores, known, ["good", "live_ops", "constant", "missing"], resamples=50)
    accuracy = scores["arch"].map(known).to_numpy()
    row = table.iloc[0]
    assert row["same_size"] == concordance(scores["good"].to_numpy(), accuracy, PARAMS)
    assert row["partial"] == partial(scores["good"].to_numpy(), accuracy, LIVE)
    assert row["same_size_low"] < row["same_size"] < row["same_size_high"]
    assert row["partial_low"] < row["partial"] < row["partial_high"]
    assert table["partial_given"].tolist() == ["live_ops"] * 4
    assert np.isnan(table["partial"][1])  # given itself nothing is left
    assert table.loc[2:, ["same_size", "same_size_low", "partial", "partial_low"]].isna().all(axis=None)


def test_what_is_given_is_what_is_known() -> None:
    gap = np.where(np.arange(120) == 5, np.nan, PARAMS)
    for columns, name, sized in (
        ({"params": PARAMS}, "params", True),
        ({"params": gap, "live_ops": LIVE}, "live_ops", False),
        ({"params": PARAMS, "live_ops": np.ones(120)}, "params", True),
        ({}, None, False),
    ):
        found = baselines_of(table_of(**columns)[0])
        assert found.name == name
        assert (found.params is not None) == sized


def shown(table: pd.DataFrame, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    print_table(table, console)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("given", ["live_ops", "params"])
def test_all_tables_have_them_and_the_printed_one_fits(given: str) -> None:
    columns = {"params": PARAMS, "an_own_proxy.with_a_column": LIVE}
    scores, known = table_of(**columns, **({"live_ops": LIVE} if given == "live_ops" else {}))
    names = ["good", "params", "an_own_proxy.with_a_column"]
    table = correlate(scores.assign(good_seconds=123.4), known, names, resamples=20)
    row = table.iloc[0]
    lines = shown(table, 160)
    assert len(lines) == 1 + len(names)  # no cell is broken
    assert all(f" {head} " in lines[0] for head in ("same size", f"given {given}"))
    first = next(line for line in lines if line.lstrip().startswith("good "))
    assert f" {row['same_size']:.3f} " in first
    assert f" {row['partial']:.3f} " in first
    markdown = to_markdown(table, "title").splitlines()
    assert f"| same size | given {given} |" in markdown[2]
    assert len({line.count("|") for line in markdown[2:]}) == 1
    assert f"| {row['same_size']:.3f} [{row['same_size_low']:.3f}, " in "\n".join(markdown)
    latex = to_latex(table, "title", "name")
    for text in (
        "Same size &",
        "Given ",
        f"{row['same_size']:.3f}",
        f"{row['partial']:.3f}",
        "differ by below",
    ):
        assert text in latex


def test_without_baselines_the_tables_are_those_without_such_columns() -> None:
    scores, known = table_of()
    table = correlate(scores, known, ["good"], resamples=20)
    for text in ("\n".join(shown(table, 160)), to_markdown(table, "t"), to_latex(table, "t", "n")):
        assert "same size" not in text.lower()
        assert "given" not in text.lower()


@pytest.mark.data
def test_what_counting_tells_on_the_real_table(data_dir: Path) -> None:
    """Sizes and live operations against pairs of one size, of all 15,625 archs."""
    accuracy = pd.read_csv(data_dir / "nats_tss.csv.gz").set_index("arch")["cifar10_test_acc_200"]
    every = [(to_ops(arch), arch) for arch in NatsTss()]
    params = np.array([73_306 + 28_000 * sum(op == "nor_conv_1x1" for op in ops)
                       + 243_040 * sum(op == "nor_conv_3x3" for op in ops) for ops, _ in every])  # fmt: skip
    live = [plan_cell(ops).ops for ops, _ in every]
    counted = np.array([sum(op.startswith("nor") for op in ops) - ops.count("avg_pool_3x3") for ops in live])
    bare = np.array([len(ops) for ops in live])
    truth = accuracy.loc[[arch for _, arch in every]].to_numpy()
    found = [concordance(score.astype(float), truth, params) for score in (params, counted, bare)]
    assert found == pytest.approx([0.240, 0.492, 0.082], abs=5e-4)
