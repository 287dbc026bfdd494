from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from ray.tune.search import Searcher
from sklearn.linear_model import LinearRegression

from nas_ray.errors import UsageError
from nas_ray.searchers import PredictorSearch, Single
from nas_ray.searchers.variation import one_hot
from tests.searchers.toy import Grid, by_length, drive


class Reader:
    """A regression that reads the arch off its code and remembers what it was fitted to."""

    fitted: list[tuple[np.ndarray, np.ndarray]]

    def __init__(self, seed: int) -> None:
        pass

    def fit(self, x: np.ndarray, y: np.ndarray) -> None:
        Reader.fitted.append((x, y))

    def predict(self, x: np.ndarray) -> np.ndarray:
        digits = x[:, :12].reshape(len(x), 3, 4).argmax(axis=2)
        return np.asarray(digits @ [100, 10, 1])


def test_it_asks_for_the_best_predictions_by_hand() -> None:
    Reader.fitted = []
    searcher = PredictorSearch(
        Grid(), fitness=Single(("x",)), start=3, batch=4, regressor=Reader, proxies=[by_length]
    )
    asked = drive(searcher, 11)
    rest = [arch for arch in sorted(Grid(), reverse=True) if arch not in asked[:3]]
    assert asked[3:] == rest[:8]
    (x, ranks), (more, _) = Reader.fitted
    order = np.argsort([float(arch) for arch in asked[:3]]).argsort()
    np.testing.assert_allclose(ranks, (order + 1) / 3)
    np.testing.assert_array_equal(x[:, :12], one_hot(Grid(), asked[:3]))
    np.testing.assert_array_equal(x[:, 12], by_length(asked[:3]))
    assert len(more) == 7


def test_one_hot_by_hand() -> None:
    expected = [[0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]]
    np.testing.assert_array_equal(one_hot(Grid(), ["301", "023"]), expected)


def test_a_linear_regression_finds_the_best_of_a_linear_fitness_in_one_round() -> None:
    searcher = PredictorSearch(
        Grid(), fitness=Single(("x",)), start=30, batch=5, regressor=lambda seed: LinearRegression()
    )
    asked = drive(searcher, 35)
    assert "333" in asked


def test_an_undefined_proxy_is_a_feature_like_any_other() -> None:
    def undefined(archs: Sequence[str]) -> list[float]:
        return [float("nan")] * len(archs)

    searcher = PredictorSearch(Grid(), fitness=Single(("x",)), start=5, batch=2, proxies=[undefined])
    assert len(set(drive(searcher, 20))) == 20


def test_no_arch_twice_and_then_it_ends() -> None:
    searcher = PredictorSearch(Grid(), fitness=Single(("x",)), start=10, regressor=Reader)
    assert sorted(drive(searcher, 100)) == sorted(Grid())
    assert searcher.suggest("after") == Searcher.FINISHED


def test_numbers_must_be_positive() -> None:
    with pytest.raises(UsageError) as caught:
        PredictorSearch(Grid(), fitness=Single(("x",)), batch=0)
    assert str(caught.value) == "batch of predictor must be from 1 to 1,000,000, got 0."
