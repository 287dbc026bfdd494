"""Archs of the layer-wise space as sequences of decisions."""

from __future__ import annotations

import itertools
import pickle
import re

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces import END, Layerwise, sample_sequence
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.spaces.layerwise.given import MOST_LAYERS, PRESETS
from nas_ray.spaces.layerwise.layers import read_layers
from nas_ray.spaces.named import open_space
from nas_ray.spaces.options import OPTIONS
from nas_ray.spaces.sequences import LONGEST
from nas_ray.testing import SpaceContract

TINY = Layerwise(least=1, most=3, heights=(1, 3), widths=3, filters=(4, 6))


def every_sequence(space: Layerwise, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Returns all sequences of a small space, by its options alone."""
    return [
        whole
        for option in space.options(prefix)
        for whole in ([prefix] if option == END else every_sequence(space, (*prefix, option)))
    ]


@pytest.fixture(
    params=[
        {"preset": "pooling", "layers": 4, "heights": 1, "widths": 3, "repeat": 2, "pool_at": 2},
        {"least": 2, "most": 3, "skips": "no", "filters": "4+6", "pools": "max2+avg3", "head": "2+5"},
    ],
    ids=["pooling", "chain"],
)
def space(request: pytest.FixtureRequest) -> Layerwise:
    return Layerwise(**request.param)


class TestLayerwise(SpaceContract):
    """The contract of spaces, with what is not in the contract of all spaces: no strides, and others."""


def test_a_space_is_the_sequences_of_its_options() -> None:
    # A layer has 2 x 2 sizes, and 2^(n - 1) sets of layers that it may read
    sequences = every_sequence(TINY)
    assert len(sequences) == 4 + 4 * 8 + 4 * 8 * 16 == 548
    archs = [TINY.assemble(sequence) for sequence in sequences]
    assert len(set(archs)) == len(archs)
    assert [TINY.decisions(arch) for arch in archs] == sequences
    assert all(arch in TINY for arch in archs)


def test_decisions_read_as_the_paper_orders_them() -> None:
    space = Layerwise("strides", least=1, pools="max2")
    arch = "3x5x36/2x1-max2-7x7x24/3~1-1x1x48~0"
    assert space.decisions(arch) == (
        *("conv", "h3", "w5", "sh2", "sw1", "n36"),
        *("max2", "yes"),
        *("conv", "h7", "w7", "sh3", "sw3", "n24", "yes", "no"),
        *("conv", "h1", "w1", "sh1", "sw1", "n48", "no", "no", "no"),
    )
    assert space.assemble(space.decisions(arch)) == arch
    assert space.options(space.decisions(arch)) == ("conv", "max2", END)
    assert space.options(("max2",)) == ("conv", "max2", END)
    assert Layerwise().options(()) == ("h1", "h3", "h5", "h7")


def test_anchor_points_lie_behind_the_own_decisions_of_layers() -> None:
    space = Layerwise(least=1, pools="max2", filters=4)
    first, second = ("conv", "h1", "w1", "n4"), ("max2",)
    third = ("conv", "h3", "w3", "n4")
    assert [space.anchor(first[:place]) for place in range(5)] == [None] * 5
    assert space.anchor((*first, *second)) == (4, 5)
    assert space.anchor((*first, *second, "no")) is None
    assert space.anchor((*first, *second, "no", *third)) == (4, 10)
    assert space.anchor((*first, *second, "no", *third, "yes")) == (5, 10)
    assert space.options((*first, *second, "no", *third)) == ("no", "yes")
    assert space.assemble((*first, *second, "no", *third, "yes", "yes")) == "1x1x4-max2~0-3x3x4~1+2"


def test_each_decision_on_reading_has_its_two_points_in_every_arch(space: Layerwise) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        decisions = space.decisions(space.sample(rng))
        points: list[int] = []
        for place in range(len(decisions) + 1):
            asked = space.anchor(decisions[:place])
            reading = place < len(decisions) and decisions[place] in ("no", "yes")
            assert (asked is not None) == reading
            if asked is not None:
                assert asked[0] < asked[1] <= place
                points += [asked[1]] if not points or points[-1] != asked[1] else []
        layers = len(read_layers(space.assemble(decisions)))
        assert len(points) == (layers - 1 if space.limits.skips else 0)


def test_options_do_not_depend_on_what_was_asked_before() -> None:
    asked, fresh = Layerwise("strides", most=8), Layerwise("strides", most=8)
    rng = np.random.default_rng(1)
    decisions = [asked.decisions(asked.sample(rng)) for _ in range(30)]
    prefixes = [path[:place] for path in decisions for place in range(len(path) + 1)]
    rng.shuffle(prefixes)  # type: ignore[arg-type]
    for prefix in prefixes:
        again = pickle.loads(pickle.dumps(fresh))
        assert asked.options(prefix) == again.options(prefix)
        assert asked.anchor(prefix) == again.anchor(prefix)


def test_archs_of_one_depth() -> None:
    space = Layerwise(least=2, most=9)
    rng = np.random.default_rng(0)
    for layers in (2, 9):
        part = space.of_depth(layers)
        archs = [part.sample(rng) for _ in range(20)] + [sample_sequence(part, rng) for _ in range(5)]
        assert all(len(read_layers(arch)) == layers and arch in space for arch in archs)
    assert {len(read_layers(space.sample(rng))) for _ in range(200)} == set(range(2, 10))
    inside = FilteredSpace(space, lambda arch: "x64" not in arch).of_depth(3)  # type: ignore[attr-defined]
    assert all(arch.count("-") == 2 and "x64" not in arch for arch in (inside.sample(rng) for _ in range(9)))
    points = open_space("layerwise:least=2,most=9@lr=0.1/1").of_depth(2)  # type: ignore[attr-defined]
    assert points.options(()) == ("0.1", "1")
    assert points.anchor(("1", *("h1", "w1", "n24") * 2)) == (4, 7)
    with pytest.raises(UsageError, match=re.escape("archs of this space have 2 to 9 layers, got 10.")):
        space.of_depth(10)
    with pytest.raises(UsageError, match=re.escape("must be a whole number of at least 1, got 0.")):
        space.of_depth(0)


def test_neighbours_change_one_decision_and_what_it_makes_impossible() -> None:
    near = TINY.neighbors("3x3x4-1x3x6")
    assert {"1x3x4-1x3x6", "3x3x6-1x3x6", "3x3x4-3x3x6", "3x3x4-1x3x4", "3x3x4-1x3x6~0"} <= set(near)
    longer = set(near) - {"1x3x4-1x3x6", "3x3x6-1x3x6", "3x3x4-3x3x6", "3x3x4-1x3x4", "3x3x4-1x3x6~0"}
    assert longer
    assert all(arch == "3x3x4" or arch.startswith("3x3x4-1x3x6-") for arch in longer)


def test_presets_are_the_experiments_of_the_paper() -> None:
    assert set(PRESETS) == {"plain", "strides", "pooling", "filters"}
    pooling, wide = Layerwise("pooling"), Layerwise("filters")
    layers = read_layers(pooling.sample(np.random.default_rng(0)))
    assert [number for number, layer in enumerate(layers, 1) if layer.pool] == [5, 9]
    assert sum(layer.repeat for layer in layers if not layer.pool) == 39
    assert [b - a for a, b in zip(pooling.limits.filters, wide.limits.filters, strict=True)] == [40] * 4
    assert Layerwise("strides").limits.strides == (1, 2, 3)
    assert Layerwise().limits.filters == (24, 36, 48, 64)


def test_a_name_may_have_options() -> None:
    space = open_space("layerwise:preset=strides,layers=4,filters=6+16+120,head=7+84,skips=no")
    assert isinstance(space, Layerwise)
    assert (space.limits.least, space.limits.most, space.limits.skips) == (4, 4, False)
    assert (space.limits.filters, space.head.grid, space.head.units) == ((6, 16, 120), 7, (84,))
    assert set(OPTIONS["layerwise"]) == {"preset", "head", "layers", *PRESETS["plain"]}
    longest = Layerwise("strides", layers=MOST_LAYERS, pools="max2")
    decisions = longest.decisions(longest.sample(np.random.default_rng(0)))
    assert len(decisions) < LONGEST
    assert sum(1 for _ in itertools.takewhile(lambda one: one != END, decisions)) == len(decisions)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("preset=v4", "Unknown preset of the space layerwise 'v4'."),
        ("depth=3", "Unknown option of the space layerwise 'depth'."),
        ("layers=0", "The layers of layerwise must be from 1 to 128, got 0."),
        ("layers=129", "The layers of layerwise must be from 1 to 128, got 129."),
        ("layers=many", "The layers of layerwise must be a whole number, got 'many'."),
        ("layers=3,most=4", "The space layerwise takes either layers, or least and most."),
        ("least=5,most=4", "must have most layers of least or more, got least=5 and most=4."),
        ("heights=2+3", "The heights of layerwise must be odd"),
        ("widths=3+3", "The widths of layerwise must be different numbers"),
        ("filters=", "must give filters once"),
        ("filters=4097", "The filters of layerwise must be from 1 to 4,096"),
        ("filters=1+x", "The filters of layerwise must be from 1 to 4,096"),
        ("strides=0", "The strides of layerwise must be from 1 to 8"),
        ("pools=max4", "Unknown pooling layer 'max4'."),
        ("pools=max2+max2", "The pools of layerwise must be different"),
        ("pool_at=3", "Pooling layers at given places need a kind; give pools=max2 as well."),
        ("skips=maybe", "The skips of layerwise must be yes or no"),
        ("repeat=2,strides=1+2", "Layers of several convolutions have no strides"),
        ("head=0", "The head of a net must be the side of its grid"),
        ("head=1+", "The head of a net must be the side of its grid"),
        ("head=17", "The head of a net must be the side of its grid"),
    ],
)
def test_options_that_cannot_be_are_refused(options: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        open_space(f"layerwise:{options}")


def test_decisions_that_make_no_arch_are_refused() -> None:
    for decisions, said in {
        (): "The decision after 'nothing' must be one of h1, h3, got '<end>'",
        ("h1", "w3"): "The decision after 'h1 w3' must be one of n4, n6, got '<end>'",
        ("h5",): "The decision after 'nothing' must be one of h1, h3, got 'h5'",
        ("h1", "w3", "n4", "h1", "w3", "n4", "maybe"): "must be one of no, yes, got 'maybe'",
        (*TINY.decisions("3x3x4-3x3x4-3x3x4"), "h1"): "must be one of <end>, got 'h1'; a sequence has 1 to 3",
    }.items():
        with pytest.raises(UsageError, match=re.escape(said)):
            TINY.assemble(decisions)


@pytest.mark.parametrize(
    "arch", ["5x3x4", "3x3x4/2", "3x3x5", "max2", "3x3x4*2", "-".join(["3x3x4"] * 4), "no", "3x3x4-"]
)
def test_archs_of_other_spaces_are_refused(arch: str) -> None:
    assert arch not in TINY
    for use in (
        TINY.decisions,
        lambda arch: TINY.build(arch, 10),
        lambda arch: TINY.cost(arch, 10, (3, 8, 8)),
    ):
        with pytest.raises(UsageError):
            use(arch)
    with pytest.raises(UsageError, match=re.escape("none of this space, which has heights=1+3, widths=3")):
        TINY.decisions("3x3x5")
