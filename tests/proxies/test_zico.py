from __future__ import annotations

import math

import pytest

from nas_ray.proxies import zico
from tests.proxies.gradients_by_hand import reference_gradients
from tests.proxies.nets import CONNECTED, DISCONNECTED, HEALTHY, batch, tss


def slow(arch: str, images: int, batches: int) -> float:
    inputs, targets = batch(images)
    size = images // batches
    parts = [
        [
            g.flatten().tolist()
            for _, g in reference_gradients(
                tss(arch), inputs[i * size : (i + 1) * size], targets[i * size : (i + 1) * size]
            )
        ]
        for i in range(batches)
    ]
    total = 0.0
    for layer in zip(*parts, strict=True):
        ratios = 0.0
        for values in zip(*layer, strict=True):
            mean = sum(values) / batches
            std = math.sqrt(sum((v - mean) ** 2 for v in values) / batches)
            if std > 0:
                ratios += sum(abs(v) for v in values) / batches / std
        if ratios > 0:
            total += math.log(ratios)
    return total


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation(arch: str) -> None:
    assert zico(tss(arch), *batch(10)) == pytest.approx(slow(arch, 10, 2), rel=1e-6)


def test_more_batches() -> None:
    assert zico(tss(), *batch(12), batches=3) == pytest.approx(slow(HEALTHY, 12, 3), rel=1e-6)


def test_no_gradient_is_the_lowest_score() -> None:
    assert zico(tss(DISCONNECTED), *batch()) == 0 < zico(tss(), *batch())


def test_too_few() -> None:
    with pytest.raises(ValueError, match="^zico: needs at least 4 images for 2 batches, got 3.$"):
        zico(tss(), *batch(3))
    with pytest.raises(ValueError, match="^zico: needs at least 2 batches, got batches=1.$"):
        zico(tss(), *batch(), batches=1)
