"""Importance against closed forms, and against Optuna's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nas_ray.searchers.recipes.fanova import main_effects


def test_an_additive_function_of_choices_is_exact() -> None:
    """The variance of a sum of independent parts is the sum of theirs: 9, 4 and 1 of 14 quarters."""
    cube = np.array(list(itertools.product([0.25, 0.75], repeat=3)) * 40)
    values = cube @ np.array([3.0, 2.0, 1.0])
    np.testing.assert_allclose(main_effects(cube, values, trees=5), np.array([9, 4, 1]) / 14, atol=1e-9)


def test_choices_of_three_and_a_constant() -> None:
    grid = np.array(list(itertools.product([1 / 6, 0.5, 5 / 6], [0.5])) * 60)
    table = {1 / 6: 0.0, 0.5: 1.0, 5 / 6: 5.0}
    values = np.array([table[x] for x in grid[:, 0]])
    np.testing.assert_allclose(main_effects(grid, values, trees=3), [1.0, 0.0], atol=1e-9)


def test_what_two_explain_together_belongs_to_neither() -> None:
    cube = np.array(list(itertools.product([0.25, 0.75], repeat=2)) * 40)
    values = ((cube[:, 0] > 0.5) != (cube[:, 1] > 0.5)).astype(float)
    np.testing.assert_allclose(main_effects(cube, values, trees=5), 0, atol=1e-9)


def test_an_additive_function_of_numbers() -> None:
    """Of `3x + 2y + z` the parts have variances of 9, 4 and 1 twelfths."""
    points = np.random.default_rng(0).random((1_500, 3))
    shares = main_effects(points, points @ np.array([3.0, 2.0, 1.0]), trees=16)
    np.testing.assert_allclose(shares, np.array([9, 4, 1]) / 14, atol=0.03)


def test_nothing_varies() -> None:
    points = np.random.default_rng(0).random((20, 2))
    assert main_effects(points, np.ones(20)).tolist() == [0, 0]
    assert main_effects(points[:1], np.ones(1)).tolist() == [0, 0]


def test_it_agrees_with_optuna() -> None:
    optuna = pytest.importorskip("optuna")
    points = np.random.default_rng(1).random((150, 3))
    values = np.sin(6 * points[:, 0]) + 2 * points[:, 1] * points[:, 2]
    kinds = {name: optuna.distributions.FloatDistribution(0, 1) for name in "abc"}
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    optuna.logging.set_verbosity(level)
    for point, value in zip(points, values, strict=True):
        params = dict(zip("abc", map(float, point), strict=True))
        study.add_trial(optuna.trial.create_trial(params=params, distributions=kinds, value=float(value)))
    theirs = optuna.importance.FanovaImportanceEvaluator(n_trees=32, seed=0).evaluate(study)
    ours = main_effects(points, values, trees=32)
    np.testing.assert_allclose(ours, [theirs[name] for name in "abc"], atol=0.03)
