"""How sentences are derived, mutated and recombined, and that all this ends."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces.grammar import derivation, layers, vary
from nas_ray.spaces.grammar.derivation import Derivation
from nas_ray.spaces.grammar.named import NETS
from nas_ray.spaces.grammar.reading import chain_in, read
from nas_ray.spaces.grammar.rules import KEEP_MAPS, RULES, mean_uses, near_widths, symbol_of
from nas_ray.spaces.grammar.shapes import IMAGE, Shape, after
from nas_ray.spaces.grammar.space import SIMPLEST, Grammar
from nas_ray.spaces.grammar.terms import Chain, Leaf, depth_of, normal, size_of, written
from nas_ray.spaces.grammar.vary import Part, crossed, crossings, mutated, parts_of
from nas_ray.spaces.named import open_space

SPACE = Grammar()
TYPES = [
    (Shape(32, 2), Shape(32, 2)),
    (Shape(32, 2), Shape(64, 4)),
    (Shape(24, 1), Shape(8, 16)),
    (Shape(48, 4, tokens=True), Shape(48, 4, tokens=True)),
    (Shape(48, 4, tokens=True), Shape(96, 4, tokens=True)),
    (IMAGE, Shape(16, 1)),
]


def test_chances_are_of_a_hundred() -> None:
    for rules in RULES.values():
        assert sum(rule.chance for rule in rules) == 100
        assert {symbol for rule in rules for symbol in rule.uses} <= set(RULES)


def test_derivations_are_finite_on_average() -> None:
    """One symbol becomes fewer than one in the long run, and so a finite number in all."""
    means = mean_uses()
    assert np.abs(np.linalg.eigvals(means)).max() < 0.7
    in_all = np.linalg.inv(np.eye(len(means)) - means).sum(1)  # 1 + M + M^2 + ..., of each symbol
    assert in_all.max() < 4


@pytest.mark.parametrize("symbol", RULES)
def test_rules_derive_as_many_symbols_as_they_say(symbol: str) -> None:
    """The means above are those of derivations without an end to their fuel."""
    takes = Shape(64, 2, tokens="tokens" in symbol)
    gives = takes if "keep" in symbol else replace(takes, width=96)
    assert symbol_of(takes, gives) == symbol

    class Noted(Derivation):
        asked: tuple[str, ...] = ()

        def chain(self, takes: Shape, gives: Shape) -> Chain:
            self.asked = (*self.asked, symbol_of(takes, gives))
            return self.layers(takes, gives)

    for rule in RULES[symbol]:
        noted = Noted(np.random.default_rng(0))
        made = rule.make(noted, takes, gives)
        assert made is not None
        assert noted.asked == rule.uses
        assert after(made, takes) == gives


def test_symbols_in_all_are_as_many_as_computed() -> None:
    """Drawn from the rules; fuel that is left counts them. Rules that are none for a type make it fewer."""
    rng, shape, fuel = np.random.default_rng(0), Shape(64, 2), 100_000
    used = []
    for _ in range(3000):
        one = Derivation(rng, fuel)
        one.chain(shape, shape)
        used.append(fuel - one.fuel)
    means = mean_uses()
    expected = np.linalg.inv(np.eye(len(means)) - means).sum(1)[list(RULES).index(KEEP_MAPS)]
    assert np.mean(used) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("takes", "gives"), TYPES)
def test_what_is_derived_has_the_type(takes: Shape, gives: Shape) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        chain = normal(Derivation(rng).chain(takes, gives))
        assert chain
        assert after(chain, takes) == gives
        if takes == IMAGE:
            assert read(written(chain)) == chain


def test_fuel_ends_every_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where every rule derives two more."""
    two = RULES[KEEP_MAPS][1]
    monkeypatch.setitem(derivation.RULES, KEEP_MAPS, (two,))  # type: ignore[index]  # a dict
    shape = Shape(16)
    chain = Derivation(np.random.default_rng(0), fuel=40).chain(shape, shape)
    assert 20 < size_of(chain) < 200


def test_widths_near_another() -> None:
    assert near_widths(32) == [8, 16, 24, 48, 64, 96, 128]
    assert near_widths(512) == [128, 160, 192, 256, 320, 384]
    assert near_widths(3) == [8]
    assert layers.heads_for(24) == [1, 2, 3]
    assert layers.heads_for(3) == []


def test_samples_are_of_many_kinds_and_within_limits() -> None:
    rng = np.random.default_rng(0)
    archs = [SPACE.sample(rng) for _ in range(300)]
    assert len(set(archs)) > 295
    assert all(arch in SPACE for arch in archs)
    for word in ("attn", "mix", "dw", "patch", "(id+", "&", "]*", "tokens(", "map(", "max3/2", "lin"):
        assert any(word in arch for arch in archs), word
    assert SIMPLEST not in archs


def test_limits_hold_and_sampling_never_hangs() -> None:
    """Where nearly nothing is within limits it takes no longer, and the simplest net is left."""
    space = Grammar(nodes=12, depth=1, params=6_000, values=120_000, pixels=32)
    rng = np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(20)]
    archs += [space.sample_from(archs[-2:], rng) for _ in range(100)]
    assert len(set(archs)) > 60
    for arch in archs:
        chain = read(arch)
        assert size_of(chain) <= 12
        assert depth_of(chain) <= 1
        assert space.cost(arch, 0, (3, 32, 32))[0] <= 6_000
    began = time.perf_counter()
    least = Grammar(nodes=3, depth=1, params=232, values=24 * 64 * 64)
    assert least.sample(np.random.default_rng(0)) in least
    assert least.sample_from([SIMPLEST, SIMPLEST], np.random.default_rng(0)) in least
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("name", sorted(NETS))
def test_a_search_can_start_from_a_known_net(name: str) -> None:
    space = open_space(f"grammar:start={name}")
    rng = np.random.default_rng(0)
    drawn = Counter(space.sample(rng) for _ in range(12))
    assert NETS[name] in drawn
    assert 3 < len(drawn) < 12
    assert all(arch in space for arch in drawn)
    assert space.label(NETS[name]).startswith(f"{name}: ")  # type: ignore[attr-defined]


def test_starts_may_be_several_and_stay_with_other_images() -> None:
    space = Grammar(start="resnet-20+vit-small-4").for_image_size(16)
    assert space.size == 16
    rng = np.random.default_rng(1)
    drawn = {space.sample(rng) for _ in range(20)}
    assert {NETS["resnet-20"], NETS["vit-small-4"]} <= drawn


@pytest.mark.parametrize("start", ["conv3:32/2-bn-relu-[(id+dw3-bn)]*3", "patch4:48-tokens(pos-attn:2)"])
def test_mutations_change_one_part_to_another_of_its_type(start: str) -> None:
    rng, chain = np.random.default_rng(0), read(start)
    made = Counter()
    for _ in range(400):
        child = mutated(chain, rng)
        if child and written(child) in SPACE:  # not where a sum in a sum has the second shortcut
            assert normal(child) == child
            made[size_of(child) - size_of(chain)] += child != chain
    assert made[0] > 20  # another layer in the place of one
    assert sum(made[more] for more in range(1, 30)) > 50
    assert sum(made[less] for less in range(-8, 0)) > 20


def test_children_are_other_archs_of_the_space() -> None:
    rng = np.random.default_rng(0)
    parents = [SPACE.sample(rng) for _ in range(10)]
    for _ in range(100):
        pair = [parents[place] for place in rng.integers(10, size=2)]
        child = SPACE.sample_from(pair, rng)
        assert child in SPACE
        assert child != pair[0]
    with pytest.raises(UsageError, match="A child needs one parent at least, got none"):
        SPACE.sample_from([], rng)
    with pytest.raises(UsageError, match="must have one of conv, dw"):
        SPACE.sample_from(["conv3:8-x"], rng)


def test_recombination_takes_parts_of_the_other() -> None:
    """Here the one part of the same type that differs, or a part that holds it."""
    one, other = read("conv3:16-bn-dw3"), read("conv5:16-tokens(pos)")
    choices = crossings(one, other)
    rng = np.random.default_rng(0)
    made = {written(crossed(one, choices, rng)) for _ in range(100)}
    assert {"conv5:16-bn-dw3", "conv3:16-tokens(pos)-dw3", "conv5:16-tokens(pos)"} <= made
    assert crossings(read("conv3:16"), read("conv3:16")) == []
    assert crossings(read("conv3:16"), read("conv3:8")) == []


def test_a_part_may_be_changed_wherever_it_stands() -> None:
    chain = read("conv3:8-relu-(id+dw3-relu)-bn-relu")
    part = Part((Leaf("relu"),), Shape(8), Shape(8))
    assert written(vary._everywhere(chain, IMAGE, part, (Leaf("gelu"),))) == (
        "conv3:8-gelu-(id+dw3-gelu)-bn-gelu"
    )
    wide = Part((Leaf("relu"),), Shape(16), Shape(16))
    assert vary._everywhere(chain, IMAGE, wide, (Leaf("gelu"),)) == chain


def test_other_layers_have_the_type_of_one() -> None:
    chain = read("conv3:16-dw3/2-tokens(attn:2-lin:8)")
    found = {}
    for _, part in parts_of(chain):
        if len(part.terms) == 1 and isinstance(part.terms[0], Leaf):
            others = vary.other_layers(part)
            assert all(after((other,), part.takes) == part.gives for other in others)
            found[str(part.terms[0])] = {str(other) for other in others}
    assert found["conv3:16"] == {"conv1:16", "conv5:16", "conv7:16", "lin:16"}
    assert {"max3/2", "avg3/2", "conv1:16/2", "patch2:16"} <= found["dw3/2"]
    assert {"attn:1", "ln", "pos", "mix:64", "relu", "lin:16"} <= found["attn:2"]
    assert found["lin:8"] == set()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("grammar:nodes=0", "The nodes of grammar must be a whole number of at least 1, got 0."),
        ("grammar:nodes=501", "The nodes of grammar must be at most 500, got 501."),
        ("grammar:depth=17", "The depth of grammar must be at most 16, got 17."),
        ("grammar:params=100", "the simplest, conv3:8-bn-relu, has 232 weights, more than 100; give others."),
        ("grammar:pixels=0", "The pixels of grammar must be a whole number of at least 1, got 0."),
        ("grammar:start=resnet", "Unknown net of grammar 'resnet'."),
        ("grammar:start=resnet-18,params=1000000", "has 11,176,512 weights, more than 1,000,000; give the"),
        ("grammar:channels=3", "Unknown option of the space grammar 'channels'."),
        ("grammar-nets:x=1", "The space grammar-nets has no options, got 'x=1'; name it alone."),
    ],
)
def test_options_that_cannot_be_are_refused(name: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_space(name)
    assert says in str(caught.value)


def test_an_arch_above_a_limit_is_refused() -> None:
    space = Grammar(params=300)
    assert "conv3:16" not in space
    with pytest.raises(UsageError, match="has 432 weights, more than 300; give the space other limits"):
        space.build("conv3:16", 2)
    assert chain_in("conv3:8")
