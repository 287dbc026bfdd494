"""What every search space must do."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import nn

from nas_ray.drivers.by_value import travelled
from nas_ray.spaces.base import CellSpace, DecisionSpace, FiniteSpace, SearchSpace
from nas_ray.spaces.product import Product, product_of
from nas_ray.spaces.settings import arch_of, point_of, settings_of
from nas_ray.testing.given import contract_of

SETTINGS = "lr=log:0.01..1,batch_size=32/64"


def space_contract(space: SearchSpace | Callable[[], SearchSpace]) -> type[SpaceContract]:
    """Returns the tests of a space, given as such or as its class."""
    made = space() if isinstance(space, type) or not isinstance(space, SearchSpace) else space
    return contract_of(SpaceContract, space=made)


def samples(space: SearchSpace, count: int) -> list[str]:
    """Returns `count` archs drawn from one seed."""
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(count)]


class SpaceContract:
    """The tests of the fixture `space`; optional parts are tested where they are."""

    def test_it_is_a_space(self, space: SearchSpace) -> None:
        """It has the methods of one."""
        assert isinstance(space, SearchSpace)

    def test_equal_seeds_give_equal_samples(self, space: SearchSpace) -> None:
        """Nothing but the generator decides."""
        assert samples(space, 20) == samples(space, 20)

    def test_archs_are_strings(self, space: SearchSpace) -> None:
        """An arch crosses processes and files."""
        assert all(type(arch) is str for arch in samples(space, 20))

    def test_samples_are_members(self, space: SearchSpace) -> None:
        """Each arch is listed once."""
        if isinstance(space, FiniteSpace):
            assert all(arch in space for arch in samples(space, 50))
            assert len(set(space)) == len(space)

    def test_neighbours_are_symmetric_and_exclude_self_and_duplicates(self, space: SearchSpace) -> None:
        """Who is a neighbour has one."""
        for arch in samples(space, 5):
            neighbors = space.neighbors(arch)
            assert neighbors
            assert arch not in neighbors
            assert len(neighbors) == len(set(neighbors))
            assert neighbors == space.neighbors(arch)
            assert all(arch in space.neighbors(neighbor) for neighbor in neighbors)

    def test_a_built_net_classifies(self, space: SearchSpace) -> None:
        """Images `[2, 3, 32, 32]` become `[2, 7]`."""
        (arch,) = samples(space, 1)
        assert space.build(arch, 7)(torch.randn(2, 3, 32, 32)).shape == (2, 7)

    def test_equal_seeds_give_equal_nets(self, space: SearchSpace) -> None:
        """A score depends on the arch and the seed of the initialisation alone."""
        (arch,) = samples(space, 1)
        images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        outputs = []
        for _ in range(2):
            with torch.random.fork_rng():
                torch.manual_seed(0)
                outputs.append(space.build(arch, 7)(images))
        assert torch.equal(*outputs)

    def test_settings_can_stand_beside_its_archs(self, space: SearchSpace) -> None:
        """No arch ends as settings do, and a point has the net of its arch, and its neighbours."""
        if product_of(space) is not None:
            return
        product = cast(SearchSpace, Product(space, SETTINGS))
        assert all(arch_of(arch) == arch for arch in samples(space, 20))
        for point in samples(product, 3):
            arch, values = arch_of(point), settings_of(point)
            assert list(values) == ["lr", "batch_size"]
            near = space.neighbors(arch) if hasattr(product, "neighbors") else []
            if not near:
                continue
            assert product.neighbors(point)[: len(near)] == [point_of(other, values) for other in near]
            assert {arch_of(other) for other in product.neighbors(point)} == {arch, *near}
        assert isinstance(travelled(product).build(point, 7), nn.Module)

    def test_decisions_make_the_arch_and_are_options(self, space: SearchSpace) -> None:
        """One arch has one tuple of decisions."""
        if isinstance(space, DecisionSpace):
            for arch in samples(space, 50):
                decisions = space.decisions(arch)
                assert space.assemble(decisions) == arch
                assert len(decisions) == len(space.choices())
                assert all(d in options for d, options in zip(decisions, space.choices(), strict=True))

    def test_groups_hold_every_decision_once(self, space: SearchSpace) -> None:
        """Each edge goes into one node."""
        if isinstance(space, CellSpace):
            places = [place for group in space.groups() for place in group]
            assert sorted(places) == list(range(len(space.choices())))
