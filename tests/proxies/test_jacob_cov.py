from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import jacob_cov
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, linear_net, tss


def slow(net: nn.Module, inputs: torch.Tensor) -> float:
    """The definition, with correlations by the formula and a solver for general matrices."""
    images = inputs.clone().requires_grad_()
    net.train()
    net(images).sum().backward()
    rows = images.grad.flatten(1).tolist()
    matrix = np.empty((len(rows), len(rows)))
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            da, db = [x - sum(a) / len(a) for x in a], [x - sum(b) / len(b) for x in b]
            product = sum(x * y for x, y in zip(da, db, strict=True))
            matrix[i, j] = product / math.sqrt(sum(x * x for x in da) * sum(y * y for y in db))
    eigenvalues = np.linalg.eigvals(matrix).real
    return -sum(math.log(v + 1e-5) + 1 / (v + 1e-5) for v in eigenvalues)


@pytest.mark.parametrize("arch", CONNECTED)
def test_equals_a_slow_implementation(arch: str) -> None:
    inputs, targets = batch()
    assert jacob_cov(tss(arch), inputs, targets) == pytest.approx(slow(tss(arch), inputs), rel=1e-6)


def test_linear_net_has_one_jacobian_for_all_images() -> None:
    inputs, targets = batch(4)
    k = 1e-3
    expected = -(math.log(4 + k) + 1 / (4 + k)) - 3 * (math.log(k) + 1 / k)
    assert jacob_cov(linear_net(192, 5), inputs, targets, k=k) == pytest.approx(expected, rel=1e-6)


def test_no_jacobian_is_nan() -> None:
    assert math.isnan(jacob_cov(tss(DISCONNECTED), *batch()))


def test_one_image() -> None:
    with pytest.raises(ValueError, match=r"^jacob_cov: needs a batch of at least 2 images, got 1\.$"):
        jacob_cov(tss(), *batch(1))
