"""What every search space must do, run over the whole dict."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nas_ray.spaces import SPACES, CellSpace, DecisionSpace, FiniteSpace, SearchSpace


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return SPACES[request.param]()


def samples(space: SearchSpace, count: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(count)]


def test_equal_seeds_give_equal_samples(space: SearchSpace) -> None:
    assert samples(space, 20) == samples(space, 20)


def test_samples_are_members(space: SearchSpace) -> None:
    if isinstance(space, FiniteSpace):
        assert all(arch in space for arch in samples(space, 50))
        assert len(set(space)) == len(space)


def test_neighbours_are_symmetric_and_exclude_self_and_duplicates(space: SearchSpace) -> None:
    for arch in samples(space, 5):
        neighbors = space.neighbors(arch)
        assert neighbors
        assert arch not in neighbors
        assert len(neighbors) == len(set(neighbors))
        assert all(arch in space.neighbors(neighbor) for neighbor in neighbors)


def test_a_built_net_classifies(space: SearchSpace) -> None:
    (arch,) = samples(space, 1)
    assert space.build(arch, 7)(torch.randn(2, 3, 32, 32)).shape == (2, 7)


def test_decisions_make_the_arch_and_are_options(space: SearchSpace) -> None:
    if isinstance(space, DecisionSpace):
        for arch in samples(space, 50):
            decisions = space.decisions(arch)
            assert space.assemble(decisions) == arch
            assert len(decisions) == len(space.choices())
            assert all(d in options for d, options in zip(decisions, space.choices(), strict=True))


def test_groups_hold_every_decision_once(space: SearchSpace) -> None:
    if isinstance(space, CellSpace):
        places = [place for group in space.groups() for place in group]
        assert sorted(places) == list(range(len(space.choices())))
