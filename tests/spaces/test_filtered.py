"""A filtered space can be asked exactly what the space inside can be asked."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from ray import cloudpickle
from torch import nn

from nas_ray.evaluation.limits import limited
from nas_ray.spaces import (
    CellSpace,
    DecisionSpace,
    FiniteSpace,
    HandDesigned,
    NatsSss,
    NatsTss,
    Neighborhood,
    SearchSpace,
)
from nas_ray.spaces.base import OPTIONAL, lacking, questions
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.filtered_parts import FILTERED
from nas_ray.spaces.needs import index_of, label_of, members, stem_of
from tests.searchers.toy import Grid, Line
from tests.spaces.toy import Blocks, Layers, Widths

SPACES = [NatsTss(), NatsSss(), HandDesigned(), Widths(), Layers(), Blocks(), Grid(), Line()]


def everything(arch: str) -> bool:
    return True


def no_ones(arch: str) -> bool:
    return "1" not in arch


def asked(space: object) -> set[str]:
    return {protocol.__name__ for protocol in OPTIONAL if isinstance(space, protocol)}


@pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)
def test_it_answers_what_the_space_inside_answers(space: SearchSpace) -> None:
    once = FilteredSpace(space, everything)
    for inside in (once, FilteredSpace(once, everything)):
        assert asked(inside) == asked(space)
        for protocol in OPTIONAL:
            assert lacking(inside, protocol) == lacking(space, protocol)
        assert type(inside).__name__ == "FilteredSpace"
        assert isinstance(inside, FilteredSpace)
        assert isinstance(inside, SearchSpace)


def with_methods(names: tuple[str, ...]) -> SearchSpace:
    """Returns a space with these methods beside its two."""
    facts = ("stem", "schedules")
    said = {name: property(lambda self: ()) if name in facts else lambda self: () for name in names}
    return type("Made", (Widths,), said)()


@pytest.mark.parametrize("protocol", OPTIONAL)
def test_each_protocol_passes_alone_and_not_without_one_of_its_methods(protocol: type) -> None:
    names = questions(protocol)
    assert names
    assert protocol in FILTERED
    assert isinstance(FilteredSpace(with_methods(names), everything), protocol)
    for left_out in names:
        rest = tuple(name for name in names if name != left_out)
        inside = FilteredSpace(with_methods(rest), everything)
        assert not isinstance(inside, protocol)
        assert not hasattr(inside, left_out)


def test_a_space_of_nothing_answers_nothing() -> None:
    inside = FilteredSpace(Widths(), everything)
    assert asked(inside) == set()
    assert members(inside) == []
    assert (index_of(inside, "1"), label_of(inside, "1"), stem_of(inside)) == (None, None, None)


def test_the_answers_are_those_of_the_space_within_the_filter() -> None:
    space = NatsTss()
    inside = FilteredSpace(space, lambda arch: "none" not in arch)
    assert isinstance(inside, FiniteSpace)
    assert isinstance(inside, CellSpace)
    assert len(inside) == 4**6 == len(list(inside))
    arch = inside.sample(np.random.default_rng(0))
    assert arch in inside
    assert arch.replace("nor_conv_3x3~0", "none~0") not in inside or "nor_conv_3x3~0" not in arch
    assert space.archs[0] in inside or "none" in space.archs[0]
    assert all(neighbor in inside for neighbor in inside.neighbors(arch))
    assert inside.index(arch) == space.index(arch)
    assert inside.cost_class(arch) == space.cost_class(arch)
    assert inside.schedules == (12, 200)
    large = inside.for_image_size(224)
    assert isinstance(large, FilteredSpace)
    assert (large.stem, stem_of(inside)) == ("strided", "small")
    assert len(large) == 4**6


def test_a_formula_of_costs_is_that_of_the_space() -> None:
    small = limited(NatsSss(), max_params=50e3)
    assert limited(small, max_flops=10e6).cost("8:8:8:8:8", 10, (3, 32, 32)) == NatsSss().cost(
        "8:8:8:8:8", 10, (3, 32, 32)
    )


def test_children_of_two_parents_stay_inside() -> None:
    inside = FilteredSpace(Blocks(), no_ones)
    rng = np.random.default_rng(0)
    assert all(no_ones(inside.sample_from(["0+1", "1+2"], rng)) for _ in range(50))
    assert no_ones(inside.sample_from(["1", "1"], rng))  # all of theirs are outside: a random member


class Own(FilteredSpace):
    """What it says itself comes before what is passed on."""

    def neighbors(self, arch: str) -> list[str]:
        return ["2"]


@pytest.mark.parametrize("make", [FilteredSpace, Own])
@pytest.mark.parametrize("space", [Grid(), Widths()], ids=lambda space: type(space).__name__)
def test_it_travels(make: type[FilteredSpace], space: SearchSpace) -> None:
    inside = make(space, no_ones)
    for copied in (
        pickle.loads(pickle.dumps(inside)),
        cloudpickle.loads(cloudpickle.dumps(inside)),
        copy.deepcopy(inside),
    ):
        assert type(copied) is type(inside)
        assert asked(copied) == asked(inside)
        first, second = np.random.default_rng(0), np.random.default_rng(0)
        assert [copied.sample(first) for _ in range(9)] == [inside.sample(second) for _ in range(9)]


def test_a_subclass_may_answer_more() -> None:
    assert isinstance(Own(Widths(), everything), Neighborhood)
    assert Own(Grid(), everything).neighbors("000") == ["2"]
    assert not isinstance(Own(Widths(), everything), DecisionSpace)


def test_listing_a_filter_does_not_change_what_is_drawn() -> None:
    """A search that is resumed draws as it did, whoever looked at the list meanwhile."""
    first, second = FilteredSpace(Grid(), no_ones), FilteredSpace(Grid(), no_ones)
    assert len(first) == 27
    one, other = np.random.default_rng(5), np.random.default_rng(5)
    assert [first.sample(one) for _ in range(20)] == [second.sample(other) for _ in range(20)]


def test_a_label_that_cannot_be_given_is_none() -> None:
    class Broken(Widths):
        def label(self, arch: str) -> str:
            raise ValueError(arch)

    class Odd(Widths):
        def label(self, arch: str) -> object:
            return {"3": 3, "4": "  ", "5": "a\n b"}[arch]

    assert label_of(Broken(), "3") is None
    assert [label_of(Odd(), arch) for arch in "345"] == [None, None, "a b"]  # type: ignore[arg-type]


def test_a_net_is_that_of_the_space() -> None:
    assert isinstance(FilteredSpace(Widths(), no_ones).build("2", 3), nn.Module)
