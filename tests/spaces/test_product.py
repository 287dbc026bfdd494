"""Archs and settings together: what a product can do is what its space can."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import Costs, limited
from nas_ray.searchers import RegularizedEvolution, Single
from nas_ray.spaces import (
    END,
    Choice,
    DecisionSpace,
    FiniteSpace,
    NatsSss,
    NatsTss,
    Product,
    SearchSpace,
    arch_of,
    sequence_neighbors,
)
from nas_ray.spaces.base import CellSpace, RecombiningSpace, SequenceSpace, fitted_space
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.named import open_space
from nas_ray.spaces.product import arch_space, product_of
from tests.searchers.toy import Line, drive
from tests.spaces.toy import Blocks, Layers

SPACE = NatsTss()
ARCH = SPACE.archs[6111]


class Widths:
    """The least that a space can do, and not even neighbours."""

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.integers(1, 9))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(int(arch)), nn.Linear(int(arch), num_classes))


def test_a_point_is_drawn_arch_first_and_has_the_net_of_its_arch() -> None:
    product = Product(SPACE, "lr=log:0.01..1,batch_size=32/64")
    rng, alone = np.random.default_rng(3), np.random.default_rng(3)
    point = product.sample(rng)
    assert arch_of(point) == SPACE.sample(alone)
    assert product.split(point)[1] == {
        "lr": product.settings["lr"].sample(alone), "batch_size": product.settings["batch_size"].sample(alone)
    }  # fmt: skip
    torch.manual_seed(0)
    net = product.build(point, 10).state_dict()
    torch.manual_seed(0)
    own = SPACE.build(arch_of(point), 10).state_dict()
    assert net.keys() == own.keys()
    assert all(torch.equal(net[name], own[name]) for name in own)


def test_neighbours_change_the_arch_or_one_setting() -> None:
    product = open_space("nats-tss@lr=log:0.01..1,batch_size=32/64/128")
    point = f"{ARCH}@lr=0.1,batch_size=64"
    near = product.neighbors(point)
    assert near[:24] == [f"{arch}@lr=0.1,batch_size=64" for arch in SPACE.neighbors(ARCH)]
    lrs = ("0.03981", "0.07943", "0.0955", "0.1047", "0.1259", "0.2512")
    assert near[24:30] == [f"{ARCH}@lr={lr},batch_size=64" for lr in lrs]
    assert near[30:] == [f"{ARCH}@lr=0.1,batch_size={size}" for size in (32, 128)]


def test_what_the_space_can_do_the_product_can() -> None:
    ranged, chosen = (Product(SPACE, {"lr": text}) for text in ("0.01..1", "0.01/0.1"))
    point = f"{ARCH}@lr=0.1"
    assert isinstance(ranged, SearchSpace)
    for product in (ranged, chosen):
        assert product.index(point) == 6111
        assert Costs(product)(point) == Costs(SPACE)(ARCH)
        assert product.stem == "small"
        assert fitted_space(product, 224).stem == "strided"
        assert point in product
        assert not any(other in product for other in (f"{ARCH}@lr=2", ARCH, 3))
        assert not isinstance(product, CellSpace)
    assert not isinstance(ranged, FiniteSpace | DecisionSpace)
    assert isinstance(chosen, FiniteSpace)
    assert isinstance(chosen, DecisionSpace)
    assert len(chosen) == 2 * len(SPACE) == len(set(chosen))
    assert chosen.decisions(point) == (*SPACE.decisions(ARCH), "0.1")
    assert chosen.assemble(chosen.decisions(point)) == point
    assert Product(NatsSss(), "lr=0.1/1").cost("64:64:64:64:64@lr=1", 10, (3, 32, 32)) is not None


class NearLayers(Layers):
    neighbors = sequence_neighbors


def test_sequences_are_passed_on_with_the_settings_in_front() -> None:
    product = Product(Layers(3), "lr=0.1/0.2,n=1..2")
    assert not isinstance(product, SequenceSpace)  # an interval has too many values
    product = Product(Layers(3), "lr=0.1/0.2,n=1/2")
    assert isinstance(product, SequenceSpace)
    assert product.options(()) == ("0.1", "0.2")
    assert product.options(("0.1", "2")) == ("wide", "narrow")
    assert product.options(("0.1", "2", "wide")) == ("wide", "narrow", END)
    point = "wide-narrow@lr=0.1,n=2"
    assert product.decisions(point) == ("0.1", "2", "wide", "narrow")
    assert product.assemble(product.decisions(point)) == point
    for wrong in (("0.1", "3", "wide"), ("0.1",), ("0.1", "2")):
        with pytest.raises(UsageError):
            product.assemble(wrong)
    assert not isinstance(Product(SPACE, "lr=0.1/0.2"), SequenceSpace)  # its decisions are sequences already


@pytest.mark.parametrize("settings", ["lr=log:0.01..1", "lr=0.1/0.2"])
@pytest.mark.parametrize("space", [Layers(3), NearLayers(3)])
def test_evolution_finds_neighbours_of_sequences_and_settings(space: SearchSpace, settings: str) -> None:
    product = Product(space, settings)
    filtered = FilteredSpace(product, lambda point: "wide" in point)
    for searched in (product, filtered):
        searcher = RegularizedEvolution(searched, fitness=Single(("x",)), population=4, sample=2)
        points = drive(searcher, 40)
        assert len({arch_of(point) for point in points}) > 3
        assert len({point.partition("@")[2] for point in points}) > 1


def test_children_are_of_the_archs_of_both_parents_and_of_their_settings() -> None:
    product = Product(Blocks(), "lr=log:0.01..1,n=1/2/3")
    assert isinstance(product, RecombiningSpace)
    parents = ["0+1@lr=0.1,n=1", "2+3@lr=0.1,n=2"]
    children = [product.sample_from(parents, np.random.default_rng(seed)) for seed in range(60)]
    assert {name for child in children for name in arch_of(child).split("+")} == set("0123")
    values = [product.split(child)[1] for child in children]
    assert {value["n"] for value in values} == {"1", "2", "3"}
    lrs = [value["lr"] for value in values]
    assert 1 < len(set(lrs)) < len(lrs)
    assert lrs.count("0.1") > 30  # one in three moves
    assert not isinstance(Product(SPACE, "lr=0.1/1"), RecombiningSpace)


def test_what_the_space_cannot_do_the_product_cannot() -> None:
    product = Product(Widths(), "lr=0.1/0.2")  # type: ignore[arg-type]
    for name in ("neighbors", "index", "cost", "cost_class", "for_image_size", "stem", "choices", "__len__"):
        assert not hasattr(product, name)
    assert hasattr(Product(Line(4), "lr=0.1/0.2"), "neighbors")
    assert fitted_space(product, 224) is product  # type: ignore[arg-type]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_copy_can_do_the_same(copied: object) -> None:
    class Own(Product):
        pass

    for product in (Product(SPACE, "lr=0.01..1"), Product(SPACE, "lr=0.1/1")):
        made = copied(product)  # type: ignore[operator]
        assert type(made) is type(product)
        assert made.sample(np.random.default_rng(0)) == product.sample(np.random.default_rng(0))
    assert isinstance(copy.deepcopy(Own(SPACE, "lr=0.1/1")), Own)


def test_limits_and_filters_hold_for_points() -> None:
    product = open_space("nats-tss@lr=log:0.01..1")
    small = limited(product, max_params=2e5)
    rng = np.random.default_rng(0)
    costs = Costs(SPACE)
    assert all(costs(arch_of(small.sample(rng)))[0] <= 2e5 for _ in range(20))
    assert product_of(small) is product
    assert product_of(SPACE) is product_of(FilteredSpace(SPACE, lambda arch: True)) is None
    assert arch_space(product).index(ARCH) == 6111  # type: ignore[attr-defined]


def test_what_is_no_point_is_refused() -> None:
    product = Product(SPACE, {"lr": "log:0.01..1", "n": Choice((1, 2))})
    for wrong in (ARCH, f"{ARCH}@lr=0.1", f"{ARCH}@n=1,lr=0.1", f"{ARCH}@lr=0.1,n=3", f"{ARCH}@lr=0.10,n=1"):
        with pytest.raises(UsageError) as refused:
            product.build(wrong, 10)
        assert str(refused.value) == (
            f"A point must read ARCH@lr=VALUE,n=VALUE with values of lr=log:0.01..1,n=1/2, got '{wrong}'."
        )


def test_settings_are_given_at_once() -> None:
    with pytest.raises(
        UsageError, match=r"The space of a product must be one of archs alone; give all settings"
    ):
        Product(Product(SPACE, "lr=0.1/1"), "n=1/2")
    with pytest.raises(UsageError, match="Unknown search space 'nats-tsss'"):
        open_space("nats-tsss@lr=0.1")
    with pytest.raises(UsageError, match="A setting must read"):
        open_space("nats-tss@")
