"""Depthwise convolutions equal those of torch, and so do their gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import conv2d

from nas_ray.shared_weights.mixed.depthwise import depthwise


@pytest.mark.parametrize("size", [(8, 8), (9, 6), (3, 5), (2, 2)])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (7, 7), (3, 7), (5, 1)])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_equal_to_torch(kernel: tuple[int, int], dilation: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, *size, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 1, *kernel, dtype=torch.float64, requires_grad=True)
    padding = tuple(dilation * (extent // 2) for extent in kernel)
    mine = depthwise(x, weight, padding, (dilation, dilation))  # type: ignore[arg-type]
    wanted = conv2d(x, weight, None, 1, padding, dilation, 4)
    assert torch.equal(mine, wanted)
    slope = torch.randn_like(wanted)
    for one, other in zip(
        torch.autograd.grad(mine, [x, weight], slope),
        torch.autograd.grad(wanted, [x, weight], slope),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_gradients_can_be_checked_by_differences() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 1, 5, 5, dtype=torch.float64, requires_grad=True)

    def own(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return depthwise(x, weight, (4, 4), (2, 2))

    assert torch.autograd.gradcheck(own, (x, weight))
    assert torch.autograd.gradgradcheck(own, (x, weight))
