from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from nas_ray.report.expected import expected_best, expected_random_arch

VALUES = np.array([10.0, 94.0, 50.0, 50.0, 73.5, 90.25])


@pytest.mark.parametrize("draws", [1, 2, 3, 5, 6])
def test_without_replacement_equals_the_mean_over_all_subsets(draws: int) -> None:
    brute = np.mean([max(subset) for subset in combinations(VALUES, draws)])
    assert expected_best(VALUES, draws, replace=False) == pytest.approx(brute, abs=1e-12)


@pytest.mark.parametrize("draws", [1, 2, 3, 5])
def test_with_replacement_equals_the_mean_over_all_sequences(draws: int) -> None:
    brute = np.mean([max(sequence) for sequence in product(VALUES, repeat=draws)])
    assert expected_best(VALUES, draws, replace=True) == pytest.approx(brute, abs=1e-12)


@pytest.mark.parametrize("replace", [True, False])
def test_a_whole_space_against_monte_carlo(replace: bool) -> None:
    rng = np.random.default_rng(0)
    values = 95 - rng.gamma(1.5, 6.0, size=15_625)
    draws = rng.integers(len(values), size=(20_000, 150))
    sampled = values[draws].max(axis=1)
    error = sampled.std() / np.sqrt(len(sampled))
    assert abs(expected_best(values, 150, replace=replace) - sampled.mean()) < 5 * error


def test_one_draw_is_the_mean_and_all_draws_are_the_best() -> None:
    assert expected_best(VALUES, 1, replace=False) == pytest.approx(expected_random_arch(VALUES))
    assert expected_best(VALUES, 6, replace=False) == expected_best(VALUES, 100, replace=False) == 94.0


def test_equal_accuracies_give_exactly_that() -> None:
    assert expected_best(np.full(1000, 91.7), 37, replace=False) == 91.7


@pytest.mark.parametrize(
    ("values", "draws", "message"),
    [
        (VALUES, 0, "num_draws must be at least 1, got 0."),
        (np.array([]), 3, "accuracies must be a non-empty list of finite numbers, got array"),
        (np.array([1.0, np.nan]), 3, "accuracies must be a non-empty list of finite numbers, got array"),
    ],
)
def test_errors(values: np.ndarray, draws: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expected_best(values, draws, replace=False)
