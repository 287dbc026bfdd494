from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nas_ray.proxies import jacob_cov, lcmnas
from nas_ray.proxies.sharing import shared_work
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, linear_net, tss


def by_hand(rows: torch.Tensor, k: float = 1e-5) -> float:
    """The definition, from the rows of the Jacobian `[B, features]`, with torch's correlations."""
    values = torch.linalg.eigvalsh(torch.corrcoef(rows.double())).tolist()
    return 10**4 / sum(math.log(value + k) + 1 / (value + k) for value in values)


class RowOfEach(nn.Module):
    """A net whose gradient is another row `[B, features]` for each image of the batch."""

    def __init__(self, rows: torch.Tensor) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.flatten(1) * self.rows).sum(1, keepdim=True)


@pytest.mark.parametrize("arch", CONNECTED[:3])
def test_the_score_by_hand(arch: str) -> None:
    inputs, targets = batch()
    net, images = tss(arch).train(), inputs.clone().requires_grad_()
    net(images).sum().backward()
    assert images.grad is not None
    score = lcmnas(tss(arch), inputs, targets)
    assert score == pytest.approx(by_hand(images.grad.flatten(1)), rel=1e-5)
    assert 0 < score < 10**4 / len(inputs)


def test_one_jacobian_for_all_images_is_near_zero_and_independent_ones_are_at_the_ceiling() -> None:
    inputs, targets = batch(4)
    k = 1e-3
    alike = 1e4 / (math.log(4 + k) + 1 / (4 + k) + 3 * (math.log(k) + 1 / k))
    assert lcmnas(linear_net(192, 5), inputs, targets, k=k) == pytest.approx(alike, rel=1e-6)
    inputs, targets = batch(5)
    rows = torch.linalg.qr(torch.randn(192, 5, generator=torch.Generator().manual_seed(0)))[0].T
    apart = lcmnas(RowOfEach(rows), inputs, targets)
    assert apart == pytest.approx(by_hand(rows), rel=1e-5)
    assert 0.95 * 10**4 / 5 < apart < 10**4 / 5


def test_it_ranks_as_jacob_cov_and_takes_its_passes() -> None:
    scores = []
    for arch in CONNECTED:
        net = tss(arch)
        with shared_work() as work:
            first = jacob_cov(net, *(given := batch()))
            second = lcmnas(net, *given)
            assert work.saved_seconds > 0
        assert second == pytest.approx(-(10**4) / first, rel=1e-12)
        scores.append((first, second))
    assert sorted(scores) == sorted(scores, key=lambda both: both[1])


def test_no_jacobian_is_nan() -> None:
    assert math.isnan(lcmnas(tss(DISCONNECTED), *batch()))


def test_one_image() -> None:
    with pytest.raises(ValueError, match=r"^lcmnas: needs a batch of at least 2 images, got 1\.$"):
        lcmnas(tss(), *batch(1))
