"""Mixtures of stored scores and looked-up accuracy, and LCMNAS on them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.catalogue import TABLES, chosen
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.lcmnas import RAW, mixed
from nas_ray.reproduce.look_up import know
from nas_ray.reproduce.measures import SHORT, TEST, scores_for, trained_for
from nas_ray.reproduce.run import told
from nas_ray.reproduce.runs import fitness_of, look_up, run_seed
from nas_ray.reproduce.tables import Setting
from tests.reproduce.synthetic import CONVOLUTIONS, NOISE, SPACE, known

TABLE = TABLES["lcmnas"]
SATURATED = 156.25 - np.where(CONVOLUTIONS == 0, np.nan, 0.01 * NOISE)


def world() -> Known:
    """Accuracies that grow with the convolutions, and a score that is at its ceiling, or undefined."""
    return known(scores=[{**known().scores[0], "lcmnas": SATURATED}])


def test_what_a_mixture_looks_at() -> None:
    assert (scores_for(RAW), trained_for(RAW)) == (("lcmnas",), (SHORT,))
    assert (scores_for(SHORT), trained_for(SHORT)) == ((), (SHORT,))
    assert (scores_for("freerea"), trained_for("freerea")) == (("naswot", "logsynflow"), ())
    assert trained_for("rank_sum:naswot,synflow") == ()
    assert TABLE.scores == ("lcmnas", "synflow")
    assert TABLE.trained == (SHORT,)


def test_a_row_has_both_and_costs_both() -> None:
    rows: list[dict[str, object]] = []
    index = 4_000
    known = world()
    known.evaluator(RAW, "cifar100", 0)(SPACE.archs[index], rows.append)
    (row,) = rows
    assert row["lcmnas"] == SATURATED[index]
    assert row[SHORT] == known.accuracy["cifar100", SHORT][index]
    assert row["seconds"] == known.seconds["cifar100", SHORT][index] + 1.0
    by_hand = 0.75 * SATURATED[index] + 0.25 * known.accuracy["cifar100", SHORT][index]
    assert fitness_of(RAW)([row]).tolist() == [pytest.approx(by_hand)]


def test_each_dataset_is_searched_by_its_own_mixture() -> None:
    upside_down = known().accuracy["cifar10", SHORT].max() - known().accuracy["cifar10", SHORT]
    there = world()
    accuracy = {**there.accuracy, ("cifar100", SHORT): upside_down}
    random = Setting("random", "random_search", mixed(), evaluations=30)
    answers = run_seed(dataclasses.replace(there, accuracy=accuracy), random, 0).answers
    assert answers["arch"].nunique() == 2
    assert list(answers["dataset"]) == list(DATASETS)


def test_the_released_mixture_is_the_accuracy_where_the_score_is_at_its_ceiling() -> None:
    rows = [dataclasses.replace(row, evaluations=60) for row in TABLE.settings[:2]]
    assert [row.by for row in rows] == [RAW, SHORT]
    with_proxy, without = (look_up(world(), row, "cifar10", 0) for row in rows)
    told = with_proxy["lcmnas"].notna()
    order = with_proxy[told].sort_values(SHORT)["arch"].tolist()
    mixture = with_proxy[told].assign(mixture=fitness_of(RAW)(with_proxy[told].to_dict("records")))
    assert mixture.sort_values("mixture")["arch"].tolist() == order
    assert len(without) == 60


@pytest.mark.slow(faster="test_equal_seeds_give_equal_runs")
@pytest.mark.parametrize("row", TABLE.settings, ids=lambda row: row.title)
def test_every_row_finds_good_archs(row: Setting) -> None:
    made = run_seed(world(), dataclasses.replace(row, evaluations=120), 1).answers
    assert len(made) == len(DATASETS)
    average = world().accuracy["cifar10", TEST].mean()
    if "proxy alone" not in row.title:  # whose score says nothing here
        assert (made["accuracy"] > average + 5).all()


def test_equal_seeds_give_equal_runs() -> None:
    row = dataclasses.replace(TABLE.settings[2], evaluations=90)
    first, second, other = (run_seed(world(), row, seed).answers for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, second)
    assert first["arch"].tolist() != other["arch"].tolist()


def test_it_says_what_it_charges_and_that_it_needs_its_scores() -> None:
    args = dataclasses.make_dataclass("Args", ["scores_file", "score_seconds"])(("one",), 2.0)
    notes = " ".join(told(TABLE, world(), args))
    assert "2 seconds are charged for the scores of one arch" in notes
    assert "Seconds are those of training for 12 epochs" in notes
    with pytest.raises(UsageError, match=r"The table lcmnas needs stored scores \(lcmnas, synflow\)"):
        know([TABLE], "nb201", (), 1.0)


def test_all_needs_no_more_scores_than_before() -> None:
    assert TABLE not in chosen("all")
    assert chosen("lcmnas") == [TABLE]
    assert {name for table in chosen("all") for name in table.scores} == {"naswot", "synflow", "logsynflow"}
