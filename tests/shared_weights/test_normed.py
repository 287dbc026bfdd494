"""BN that is put off is the BN that torch computes, and says where it cannot be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas_ray.shared_weights.normed import Normed, Term, convolved, put_off, summed, weighted

EPS = 1e-5


def maps(count: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    source = torch.Generator().manual_seed(0)
    drawn = [torch.randn(3, 5, 4, 4, generator=source, dtype=torch.float64) * 2 + 1 for _ in range(count)]
    return [one.to(dtype, memory_format=torch.channels_last) for one in drawn]


def bn(x: Tensor) -> Tensor:
    return F.batch_norm(x, None, None, training=True, eps=EPS)


def later(x: Tensor) -> Normed:
    term = put_off(x.clone(), EPS)
    assert term is not None
    return term


@torch.no_grad()
@pytest.mark.parametrize("kept", [False, True])
def test_sums_of_normed_maps_and_others(kept: bool) -> None:
    a, b, c, d = maps(4)
    first, second = later(a), later(b)
    found = summed([c, first, weighted(second, 0.5), d], kept=kept)
    torch.testing.assert_close(found, bn(a) + 0.5 * bn(b) + c + d, rtol=1e-12, atol=1e-12)
    assert torch.equal(first.map, a) == kept
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(first.variance, a.var((0, 2, 3), correction=0))


def test_what_is_given_as_a_map_is_left_as_it_was() -> None:
    a, b, c = maps(3)
    before = [one.clone() for one in (a, b, c)]
    assert summed([a]) is a
    torch.testing.assert_close(summed([a, b, c]), a + b + c)
    assert all(torch.equal(one, old) for one, old in zip((a, b, c), before, strict=True))


@torch.no_grad()
def test_what_varies_in_no_channel_becomes_zero() -> None:
    assert not summed([later(torch.zeros_like(maps(1)[0]))]).any()


def test_where_it_is_not_put_off() -> None:
    (x,) = maps(1)
    assert put_off(x, EPS) is None  # gradients are recorded
    with torch.no_grad():
        assert put_off(x.contiguous(), EPS) is None
        assert put_off(x.bfloat16(), EPS) is None
        assert put_off(x[:1, :, :1, :1], EPS) is None  # one value per channel has no variance
        assert put_off(x.to("meta"), EPS) is None
        scaled = nn.BatchNorm2d(5).double()
        nn.init.constant_(scaled.weight, 3)
        term: Term = convolved(nn.Identity(), scaled, x)
        assert isinstance(term, Tensor)
        torch.testing.assert_close(term, 3 * bn(x))
