"""What every search space must do."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import nn

from nas_ray.drivers.by_value import travelled
from nas_ray.proxies.flops import flops
from nas_ray.proxies.params import params
from nas_ray.spaces.base import (
    END,
    CellSpace,
    CostClassSpace,
    CostSpace,
    DecisionSpace,
    FiniteSpace,
    ImageSizedSpace,
    IndexedSpace,
    LabelledSpace,
    Neighborhood,
    RecombiningSpace,
    ScheduledSpace,
    SearchSpace,
    SequenceSpace,
    StemmedSpace,
)
from nas_ray.spaces.product import Product, product_of
from nas_ray.spaces.sequences import sample_sequence
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
        """Who is a neighbour has one, but among sequences, where a way back may be longer."""
        if isinstance(space, Neighborhood):
            for arch in samples(space, 5):
                neighbors = space.neighbors(arch)
                assert neighbors
                assert arch not in neighbors
                assert len(neighbors) == len(set(neighbors))
                assert neighbors == space.neighbors(arch)
                ways_back = (arch in space.neighbors(neighbor) for neighbor in neighbors)
                assert isinstance(space, SequenceSpace) or all(ways_back)

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
            assert isinstance(product, Neighborhood) == isinstance(space, Neighborhood)
            if isinstance(product, Neighborhood) and isinstance(space, Neighborhood):
                near, beside = space.neighbors(arch), product.neighbors(point)
                assert beside[: len(near)] == [point_of(other, values) for other in near]
                assert {arch_of(other) for other in beside} == {arch, *near}
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

    def test_sequences_make_the_arch_by_options_and_end(self, space: SearchSpace) -> None:
        """Each decision of an arch is an option there, and it may end where it ends."""
        if isinstance(space, SequenceSpace):
            rng = np.random.default_rng(0)
            for arch in (*samples(space, 25), *(sample_sequence(space, rng) for _ in range(25))):
                decisions = space.decisions(arch)
                assert space.assemble(decisions) == arch
                for place, decision in enumerate((*decisions, END)):
                    options = space.options(tuple(decisions[:place]))
                    assert decision in options
                    assert len(options) == len(set(options))
                    assert options == space.options(tuple(decisions[:place]))

    def test_children_of_parents_are_drawn_from_the_generator_alone(self, space: SearchSpace) -> None:
        """One parent, equal ones and two make children of the space, equal ones from equal seeds."""
        if isinstance(space, RecombiningSpace):
            first, second = samples(space, 2)
            for parents in ([first], [first, first], [first, second]):
                drawn = [space.sample_from(parents, np.random.default_rng(n)) for n in range(20)]
                assert drawn == [space.sample_from(parents, np.random.default_rng(n)) for n in range(20)]
                assert all(type(arch) is str for arch in drawn)
                assert not isinstance(space, FiniteSpace) or all(arch in space for arch in drawn)

    def test_published_numbers_grow_in_the_published_order(self, space: SearchSpace) -> None:
        """Each arch has a number of its own."""
        if isinstance(space, IndexedSpace):
            if isinstance(space, FiniteSpace) and product_of(space) is None:
                numbers = [space.index(arch) for arch in space]
                assert numbers == sorted(set(numbers))
            assert all(space.index(arch) >= 0 for arch in samples(space, 50))

    def test_labels_are_lines(self, space: SearchSpace) -> None:
        """People read them."""
        if isinstance(space, LabelledSpace):
            labels = [space.label(arch) for arch in samples(space, 20)]
            assert all(type(label) is str and label.strip() for label in labels)
            assert all(len(label.splitlines()) == 1 for label in labels)

    def test_nets_fit_images_of_other_sizes(self, space: SearchSpace) -> None:
        """Images `[2, 3, 96, 96]` become `[2, 7]` by a net of the same arch."""
        if isinstance(space, ImageSizedSpace):
            large = space.for_image_size(96)
            assert samples(large, 20) == samples(space, 20)
            (arch,) = samples(space, 1)
            assert large.build(arch, 7)(torch.randn(2, 3, 96, 96)).shape == (2, 7)

    def test_costs_are_those_of_the_net(self, space: SearchSpace) -> None:
        """A formula counts what the proxies `params` and `flops` count, and a class has one cost."""
        known: dict[object, tuple[float, float]] = {}
        for arch in samples(space, 5) if isinstance(space, (CostSpace, CostClassSpace)) else ():
            counted = _counted(space, arch)
            if isinstance(space, CostSpace) and (formula := space.cost(arch, 7, (3, 32, 32))) is not None:
                assert tuple(map(float, formula)) == counted
            if isinstance(space, CostClassSpace):
                assert known.setdefault(space.cost_class(arch), counted) == counted

    def test_facts_of_the_space_are_plain(self, space: SearchSpace) -> None:
        """They are kept in files."""
        if isinstance(space, StemmedSpace):
            assert type(space.stem) is str
        if isinstance(space, ScheduledSpace):
            assert space.schedules
            assert all(type(epochs) is int and epochs > 0 for epochs in space.schedules)


def _counted(space: SearchSpace, arch: str) -> tuple[float, float]:
    """Returns parameters and multiply-adds of the net, counted and not by formula."""
    with torch.random.fork_rng():
        net = space.build(arch, 7)
    images, targets = torch.zeros(1, 3, 32, 32), torch.zeros(1, dtype=torch.int64)
    multiply_adds = flops(net, images, targets)  # first: its pass gives lazy layers their shapes
    return params(net, images, targets), multiply_adds
