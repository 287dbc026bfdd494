from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from nas_ray.best_arch.proven import prove_best


def exhaustive(rest: Mapping[str, float], values: Mapping[str, float]) -> str:
    largest = max(values.values())
    return max(rest, key=lambda arch: values[arch] / largest + rest[arch])


@pytest.mark.parametrize("seed", range(50))
def test_equal_to_scoring_everything(seed: int) -> None:
    rng = np.random.default_rng(seed)
    archs = [str(i) for i in range(60)]
    values = dict(zip(archs, rng.uniform(0.1, 1.0, 60), strict=True))
    ceiling = {arch: value * rng.uniform(1.0, 1.5) for arch, value in values.items()}
    rest = dict(zip(archs, rng.uniform(0, 2.0, 60), strict=True))
    proof = prove_best(rest, ceiling, lambda some: {arch: values[arch] for arch in some}, at_once=3)
    assert proof.arch == exhaustive(rest, values)
    assert all(proof.values[arch] == values[arch] for arch in proof.values)


def test_few_values_are_asked_for_where_the_rest_decides() -> None:
    rest = {"a": 3.0, "b": 1.5, **{str(i): 0.1 for i in range(100)}}
    asked: list[str] = []

    def evaluate(archs: Sequence[str]) -> dict[str, float]:
        asked.extend(archs)
        return dict.fromkeys(archs, 0.8)

    proof = prove_best(rest, dict.fromkeys(rest, 1.0), evaluate, at_once=2)
    assert proof.arch == "a"
    assert asked == ["a", "b"]
    assert proof.score == pytest.approx(3.8)  # 0.8 / 1.0 + 3, since another could have 1.0
    assert proof.margin == pytest.approx(1.5)  # b's value could be as large as that of a


def test_an_undefined_value_loses_and_none_at_all_is_an_error() -> None:
    values = {"a": float("-inf"), "b": 1.0, "c": float("nan")}
    rest = {"a": 9.0, "b": 0.0, "c": 5.0}
    ones = dict.fromkeys(rest, 1.0)
    assert prove_best(rest, ones, lambda some: {arch: values[arch] for arch in some}).arch == "b"
    with pytest.raises(ValueError, match="positive value"):
        prove_best(rest, ones, lambda some: dict.fromkeys(some, -1.0))
    with pytest.raises(ValueError, match="at least one arch"):
        prove_best({}, {}, lambda some: {})
