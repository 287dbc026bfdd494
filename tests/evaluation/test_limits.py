from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import Costs, limited
from nas_ray.searchers import SEARCHERS, ArchSearcher, Single
from nas_ray.spaces import NatsTss, SearchSpace
from tests.searchers.toy import Line, drive, options_of

SPACE = NatsTss()


def published(arch: str) -> tuple[float, float]:
    """Parameters and multiply-adds on CIFAR-10 by the published formulas."""
    n1, n3 = arch.count("1x1"), arch.count("conv_3x3")
    return round(73306 + 28000 * n1 + 243040 * n3), round(7783050 + 3932160 * n1 + 35389440 * n3)


def test_costs_are_the_published_ones() -> None:
    costs = Costs(SPACE)
    for arch in SPACE.archs[::500]:
        assert costs(arch) == published(arch)


def test_costs_without_a_class_are_those_of_the_arch() -> None:
    """A linear layer from 3 * 8 * 8 inputs to 7 outputs, counted once per arch."""
    built = []

    class Watched(Line):
        def build(self, arch: str, num_classes: int) -> nn.Module:
            built.append(arch)
            return super().build(arch, num_classes)

    costs = Costs(Watched(), 7, (3, 8, 8))
    assert [costs(arch) for arch in ("0", "1", "0")] == [(3 * 64 * 7 + 7,) * 2] * 3
    assert built == ["0", "1"]


def test_random_state_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    Costs(SPACE)(SPACE[0])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_members_are_those_below_the_limits() -> None:
    space = limited(SPACE, max_params=4e5, max_flops=50e6)
    expected = [a for a in SPACE if published(a)[0] <= 4e5 and published(a)[1] <= 50e6]
    assert list(space) == expected  # type: ignore[call-overload]
    assert 0 < len(expected) < len(SPACE)


@pytest.fixture(scope="module")
def small() -> SearchSpace:
    """What has at most 400,000 parameters; its costs are counted once for all searchers."""
    return limited(SPACE, max_params=4e5)


@pytest.mark.parametrize("name", sorted(SEARCHERS))
def test_no_searcher_leaves_the_limits(name: str, small: SearchSpace) -> None:
    make: type[ArchSearcher] = SEARCHERS[name]
    searcher = make(small, fitness=Single(("x",)), seed=2, **options_of(make))
    asked = drive(searcher, 150)
    assert len(asked) == 150
    assert max(published(arch)[0] for arch in asked) <= 4e5


def test_without_limits_the_space_is_itself() -> None:
    assert limited(SPACE) is SPACE


@pytest.mark.parametrize("limit", [0, -1.0, np.nan])
def test_limits_must_be_positive(limit: float) -> None:
    with pytest.raises(UsageError) as caught:
        limited(SPACE, max_flops=limit)
    assert str(caught.value) == (
        "max_params and max_flops must be positive, and one of them given, got max_params=None and "
        f"max_flops={limit}."
    )


@pytest.mark.parametrize(
    "space",
    [Line(), pytest.param(SPACE, marks=pytest.mark.slow(faster="test_nothing_below_the_limits"))],
    ids=lambda space: type(space).__name__,
)
def test_nothing_below_the_limits(space: SearchSpace) -> None:
    with pytest.raises(UsageError) as caught:
        limited(space, max_params=1000)
    assert str(caught.value) == (
        "No arch of the space passes max_params=1000 and max_flops=None; widen the filter."
    )
