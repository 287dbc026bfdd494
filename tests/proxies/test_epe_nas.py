from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import epe_nas
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, linear_net, tss


def slow(net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, classes: int) -> float:
    images = inputs.clone().requires_grad_()
    net.train()
    net(images).sum().backward()
    jacobian = images.grad.flatten(1).numpy()
    scores = []
    for label in sorted(set(targets.tolist())):
        rows = [jacobian[i] for i in range(len(targets)) if targets[i] == label]
        logs = [math.log(abs(np.corrcoef(a, b)[0, 1]) + 1e-5) for a in rows for b in rows]
        scores.append(sum(logs) if classes <= 100 else sum(logs) / len(rows))
    if classes <= 100:
        return sum(abs(s) for s in scores)
    return sum(abs(s - other) for s in scores for other in scores) / len(scores)


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation(arch: str) -> None:
    inputs, targets = batch(13)
    assert epe_nas(tss(arch), inputs, targets) == pytest.approx(slow(tss(arch), inputs, targets, 5), rel=1e-6)


def test_more_than_a_hundred_classes() -> None:
    inputs, targets = batch(12, classes=5)
    value = epe_nas(tss(classes=101), inputs, targets, all_classes=False)
    assert value == pytest.approx(slow(tss(classes=101), inputs, targets, 101), rel=1e-6)


def test_linear_net_has_one_jacobian_for_all_images() -> None:
    inputs, targets = batch(5, classes=2)
    k = 0.1
    value = epe_nas(linear_net(192, 2), inputs, targets, k=k)
    assert value == pytest.approx((3**2 + 2**2) * math.log(1 + k), rel=1e-9)


def test_no_jacobian_is_nan() -> None:
    assert math.isnan(epe_nas(tss(DISCONNECTED), *batch()))


def test_a_missing_class() -> None:
    inputs, targets = batch(10, classes=3)
    with pytest.raises(ValueError, match="epe_nas") as caught:
        epe_nas(tss(), inputs, targets)
    assert str(caught.value) == (
        "epe_nas: needs images of each of the 5 classes, but 2 have none (such as 3, 4); use a larger batch, "
        "or all_classes=False to score those that are there."
    )
    expected = slow(tss(), inputs, targets, 5)
    assert epe_nas(tss(), inputs, targets, all_classes=False) == pytest.approx(expected, rel=1e-6)


def test_no_class_with_two_images() -> None:
    with pytest.raises(ValueError, match="^epe_nas: needs at least two images of one class"):
        epe_nas(tss(), *batch(5))


def test_labels_that_do_not_fit() -> None:
    inputs, targets = batch()
    message = "^epe_nas: the net has 5 outputs, but the labels reach from 1 to 5.$"
    with pytest.raises(ValueError, match=message):
        epe_nas(tss(), inputs, targets + 1)
    with pytest.raises(ValueError, match="^epe_nas: needs one label per image, got 9 for 10 images.$"):
        epe_nas(tss(), inputs, targets[:9])
