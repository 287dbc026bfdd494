from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.lines import lines_of
from nas_ray.reproduce.measures import SHORT, TEST
from nas_ray.reproduce.runs import at_points, paid_again, run_seed, runner, skip_to_output
from nas_ray.reproduce.statistics import NO_COMPARISON
from nas_ray.reproduce.tables import Setting
from tests.reproduce.synthetic import SPACE, known

RANDOM = Setting("random", "random_search", "naswot", evaluations=30)


def test_the_answer_is_the_accuracy_of_the_best_score() -> None:
    world = known()
    runs = run_seed(world, RANDOM, 5)
    drawn = runs.answers.iloc[0]
    assert list(runs.answers["dataset"]) == list(DATASETS)
    assert runs.answers["arch"].nunique() == 1  # one search for all three datasets
    index = SPACE.index(drawn["arch"])
    assert drawn["accuracy"] == world.accuracy["cifar10", TEST][index]
    assert (drawn["evaluations"], drawn["seconds"]) == (30, 30.0)
    curve = runs.curves[runs.curves["dataset"] == "cifar10"]
    assert (curve["at"].iloc[0], curve["at"].iloc[-1]) == (1, 30)
    assert curve["accuracy"].iloc[-1] == drawn["accuracy"]


def test_a_curve_holds_the_last_answer_and_nothing_before_the_first() -> None:
    course = pd.DataFrame({"finished_at": [10.0, 20.0, 40.0], "accuracy": [1.0, 2.0, 3.0]})
    curve = at_points(Setting("", "rea", SHORT, seconds=40.0), course).set_index("at")["accuracy"]
    assert curve[curve.index < 10].isna().all()
    assert set(curve[(curve.index >= 10) & (curve.index < 20)]) == {1.0}
    assert set(curve[(curve.index >= 20) & (curve.index < 40)]) == {2.0}
    assert curve.iloc[-1] == 3.0


def test_an_average_is_over_every_sampled_net() -> None:
    world = known()
    runs = run_seed(world, dataclasses.replace(RANDOM, answer="average", measure=SHORT), 5)
    best = run_seed(world, dataclasses.replace(RANDOM, measure=SHORT), 5)
    values, top = runs.answers["accuracy"], best.answers["accuracy"]
    assert (values < top - 5).all()
    assert values.iloc[0] == pytest.approx(world.accuracy["cifar10", SHORT].mean(), abs=8)


def test_short_training_is_searched_on_each_dataset_or_on_one() -> None:
    upside_down = known().accuracy["cifar10", SHORT].max() - known().accuracy["cifar10", SHORT]
    world = known(accuracy={**known().accuracy, ("cifar100", SHORT): upside_down})
    own = dataclasses.replace(RANDOM, by=SHORT)
    assert run_seed(world, own, 0).answers["arch"].nunique() == 2
    one = dataclasses.replace(own, searched_on="cifar10")
    assert run_seed(world, one, 0).answers["arch"].nunique() == 1


def test_seconds_are_charged_until_the_budget_is_spent() -> None:
    setting = dataclasses.replace(RANDOM, by=SHORT, evaluations=None, seconds=1_000.0)
    answers = run_seed(known(), setting, 0).answers
    assert set(answers["evaluations"]) == {10}  # each takes 100 to 106 seconds
    assert answers["seconds"].between(1_000, 1_060).all()


def test_an_arch_without_a_score_is_no_answer_yet() -> None:
    world = known(scores=[{**known().scores[0], "naswot": np.full(len(SPACE), -np.inf)}])
    runs = run_seed(world, RANDOM, 0)
    assert runs.answers["accuracy"].isna().all()
    assert runs.curves["accuracy"].isna().all()


def test_the_inner_space_holds_1024_archs() -> None:
    assert sum(map(skip_to_output, SPACE)) == 4**5


def test_results_do_not_depend_on_the_number_of_processes() -> None:
    world = known()
    heard: list[int] = []
    made = []
    for processes in (1, 2):
        with runner(world, processes) as run:
            made.append(run(RANDOM, 8, heard.append))
    assert sum(heard) == 16
    pd.testing.assert_frame_equal(made[0].answers, made[1].answers)
    pd.testing.assert_frame_equal(made[0].curves, made[1].curves)


def test_another_accuracy_cannot_be_compared() -> None:
    from nas_ray.reproduce.published import Figures

    setting = dataclasses.replace(RANDOM, published=(Figures((90.0, 70.0, 40.0)),))
    with runner(known(), 1) as run:
        answers = run(setting, 3, lambda count: None).answers
    lines = lines_of(setting, answers, "valid_acc", resamples=10)
    assert set(lines["verdict"]) == {NO_COMPARISON}
    assert set(lines["measure"]) == {"valid_acc"}
    assert set(lines["reason"]) == {"the benchmark holds valid_acc and no test accuracy"}


def test_runs_take_sets_of_scores_in_turn() -> None:
    first = known().scores[0]
    world = known(scores=[first, {**first, "naswot": -first["naswot"]}])
    seeds = [run_seed(world, RANDOM, seed).answers["accuracy"].iloc[0] for seed in range(4)]
    assert min(seeds[0], seeds[2]) > max(seeds[1], seeds[3])
    assert seeds[2] == run_seed(known(), RANDOM, 2).answers["accuracy"].iloc[0]


def test_known_archs_paid_again_end_a_search_sooner() -> None:
    """Of a, b, a, c at 4, 3, 4 and 5 seconds, the fourth would begin at 11."""
    rows = pd.DataFrame({"arch": list("abac"), "seconds": [4.0, 3.0, 0.0, 5.0], "finished_at": [4, 7, 7, 12]})
    paid = paid_again(rows, 11.0)
    assert paid["arch"].tolist() == ["a", "b", "a"]
    assert paid["seconds"].tolist() == [4, 3, 4]
    assert paid["finished_at"].tolist() == [4, 7, 11]
    assert len(paid_again(rows, 11.5)) == 4
