"""How chains of `macro` are drawn from graphs, rule by rule."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces.graphs import LayerGraph
from nas_ray.spaces.macro.chain import Token, tokens_of, written
from nas_ray.spaces.macro.plan import Step
from nas_ray.spaces.macro.sampling import Parents
from nas_ray.spaces.macro.seeds import seed_parents, seeds
from nas_ray.spaces.macro.space import Macro
from nas_ray.spaces.macro.variant import DESCRIBED

SPACE = Macro()


def graph(name: str, transitions: dict[str, dict[str, int]], width: int = 8) -> LayerGraph:
    conv = {"out_channels": {str(width): 1}, "kernel_size": {"3x3": 1}}
    return LayerGraph(name, transitions, {"Conv2d": conv, "ReLU": {}, "Dropout": {"p": {"0.1": 1}}})


ENDLESS = {"START": {"Conv2d": 1}, "Conv2d": {"ReLU": 1}, "ReLU": {"Conv2d": 9, "END": 1}}


def test_the_worst_parent_is_never_drawn_and_others_by_their_rank() -> None:
    parents = Parents([graph(str(n), ENDLESS) for n in range(4)])
    rng = np.random.default_rng(0)
    counts = Counter(parents.drawn("ReLU", rng).name for _ in range(6000))  # type: ignore[union-attr]
    assert set(counts) == {"1", "2", "3"}
    for name, share in {"1": 1 / 6, "2": 2 / 6, "3": 3 / 6}.items():
        assert abs(counts[name] / 6000 - share) < 0.02
    assert parents.drawn("Tanh", rng) is None


def test_where_one_parent_alone_has_a_layer_the_chain_ends() -> None:
    six = {"START": {"Conv2d": 1}, "Conv2d": {"ReLU6": 1}, "ReLU6": {"Conv2d": 1}}
    alone = LayerGraph("six", six, {**graph("", ENDLESS).properties, "ReLU6": {}})
    parents = Parents([graph("other", ENDLESS), alone])
    rng = np.random.default_rng(1)
    chains = [parents.chain((32, 32), rng) for _ in range(300)]
    cut = [tokens for tokens, ended in chains if ended]
    assert all(tokens[-2].word == "dropout" and tokens[-1] == Token("head") for tokens, _ in chains)
    assert all(Token("relu6") not in tokens[:-3] for tokens, _ in chains)
    assert {written(tokens).split("-")[-3] for tokens in cut} >= {"relu6"}
    assert {token.p for tokens in cut for token in tokens if token.word == "dropout"} <= {"0.1", "0.5"}


def test_convolutions_become_blocks_and_blocks_halve_what_is_large_enough() -> None:
    parents = Parents([graph("a", {**ENDLESS, "ReLU": {"Conv2d": 1, "END": 1}})] * 2)
    rng = np.random.default_rng(2)
    first = Counter(parents.chain((32, 32), rng)[0][0].word for _ in range(4000))
    assert abs(first["conv"] / 4000 - 0.5) < 0.03
    assert abs(first["down"] / (first["down"] + first["res"]) - 0.3) < 0.03
    small = Counter(token.word for _ in range(500) for token in parents.chain((32, 2), rng)[0])
    assert small["down"] == 0
    assert small["res"] > 300


def test_linear_layers_in_the_middle_keep_the_map_and_the_tail_is_completed() -> None:
    linear = {
        "START": {"Linear": 1},
        "Linear": {"ReLU": 1},
        "ReLU": {"BatchNorm2d": 1},
        "BatchNorm2d": {"Linear": 1},
    }
    ends = {
        **linear,
        "BatchNorm2d": {"Dropout": 1},
        "Dropout": {"Linear": 1},
        "Linear": {"ReLU": 1, "END": 1},
    }
    properties = {
        "Linear": {"out_features": {"77": 1}},
        "ReLU": {},
        "BatchNorm2d": {},
        "Dropout": {"p": {"0.2": 1}},
    }
    parents = Parents([LayerGraph("linear", ends, properties)] * 2)
    rng = np.random.default_rng(0)
    made = {written(parents.chain((32, 32), rng)[0]) for _ in range(200)}
    assert "head" in made
    assert "square-relu-bn-dropout:0.2-head" in made
    ended = {**ends, "Linear": {"ReLU": 1}, "ReLU": {"Linear": 1, "END": 9}}
    parents = Parents([LayerGraph("linear", ended, properties)] * 2)
    made = {written(parents.chain((32, 32), rng)[0]) for _ in range(300)}
    assert {"linear:77-relu-dropout:0.2-head", "linear:77-relu-linear:77-relu-dropout:0.2-head"} <= made


RELEASED_SHARES = {
    "block": 22.0,
    "conv": 21.8,
    "relu": 21.4,
    "bn": 19.3,
    "max": 7.2,
    "linear": 3.7,
    "dropout": 2.7,
}
"""Percent of the layers of 4,000 chains drawn from the released graphs, before a classifier is added."""


def shares(words: Counter[str]) -> dict[str, float]:
    joined = Counter(words)
    joined["block"] = words["res"] + words["down"]
    return {word: 100 * joined[word] / sum(words.values()) for word in RELEASED_SHARES}


def length(tokens: list[Token]) -> int:
    return sum(Step(token, (1, 1, 1), (1, 1, 1)).layers for token in tokens)


def test_draws_are_those_of_the_released_code() -> None:
    """Length: mean 66, median 47, a tenth up to 10, a tenth from 148; 22 % end at ReLU6, 11 % are short."""
    rng, draws = np.random.default_rng(0), 4000
    walks = [seed_parents().walk((32, 32), rng) for _ in range(draws)]
    lengths = [length(tokens) for tokens, _ in walks]
    assert abs(np.mean(lengths) - 66) < 3  # 3 standard errors
    assert np.abs(np.percentile(lengths, [10, 50, 90]) - [10, 47, 148]).max() < 8
    cut = [tokens for tokens, wanting in walks if wanting]
    assert abs(len(cut) / draws - 0.22) < 0.02
    assert {tokens[-1].word for tokens in cut} == {"relu6"}
    assert abs(np.mean([len(tokens) <= 5 for tokens, _ in walks]) - 0.11) < 0.015
    found = shares(Counter(token.word for tokens, _ in walks for token in tokens))
    for word, share in RELEASED_SHARES.items():
        assert abs(found[word] - share) < 0.6, (word, found[word])


def test_as_described_every_parent_is_drawn_and_none_is_wanting() -> None:
    parents = Parents([graph(str(n), ENDLESS) for n in range(3)], DESCRIBED)
    rng = np.random.default_rng(0)
    counts = Counter(parents.drawn("ReLU", rng).name for _ in range(6000))  # type: ignore[union-attr]
    for name, share in {"0": 1 / 6, "1": 2 / 6, "2": 3 / 6}.items():
        assert abs(counts[name] / 6000 - share) < 0.02
    walks = [seed_parents(DESCRIBED).walk((32, 32), rng) for _ in range(300)]
    assert not any(wanting for _, wanting in walks)
    assert any(token.word == "relu6" for tokens, _ in walks for token in tokens[:-1])


def test_as_described_values_are_drawn_as_often_as_they_were_met() -> None:
    """Of the 20 convolutions of ResNet-18 7 have strides of 2 and one has a kernel of 7x7."""
    (resnet,) = (one for one in seeds(DESCRIBED) if one.name == "resnet18")
    parents, rng = Parents([resnet], DESCRIBED), np.random.default_rng(0)
    tokens = [parents.again(Token("conv", 1, (1, 1)), (32, 32), rng) for _ in range(6000)]
    convs = [token for token in tokens if token is not None and token.word == "conv"]
    for share, of in {
        7 / 20: [token.stride == (2, 2) for token in convs],
        1 / 20: [token.sides == (7, 7) for token in convs],
        5 / 20: [token.width == 64 for token in convs],
        3 / 20: [token.padding == (0, 0) for token in convs],
    }.items():
        assert abs(np.mean(of) - share) < 0.03
    mobile = [one for one in seeds(DESCRIBED) if one.name == "mobilenet_v2"]
    drawn = [Parents(mobile, DESCRIBED).again(Token("conv", 1, (1, 1)), (32, 32), rng) for _ in range(300)]
    assert {token.groups for token in drawn if token is not None} > {1, 32, 144, 960}


def test_children_are_of_the_better_parent() -> None:
    """Of two the worse has rank 0, so it has no chance, and gives nothing."""
    wide, narrow = (
        "conv:64:3x3-bn-relu-max:4x4-conv:32:1x1-to:4x4-head",
        "conv:8:5x5-relu-max:4x4-conv:16:1x1-to:4x4-head",
    )
    for fitness, widths in (([2.0, np.nan], {32, 64}), ([-1.0, 2.0], {8, 16})):
        rng = np.random.default_rng(3)
        for _ in range(30):
            child = SPACE.sample_from([wide, narrow], rng, fitness)
            assert {token.width for token in tokens_of(child) if token.word in ("conv", "down")} <= widths
            assert child in SPACE
    assert SPACE.label(wide) == "2 conv of 7"
    with pytest.raises(UsageError, match="got 2 parents and 1 fitnesses"):
        SPACE.sample_from([wide, narrow], rng, [1.0])
    with pytest.raises(UsageError, match="got 0 parents and no fitnesses"):
        SPACE.sample_from([], rng)


def test_graphs_without_strides_can_be_parents_as_described() -> None:
    """Those that the released code keeps, or that were stored without."""
    parents, rng = Parents(seeds(), DESCRIBED), np.random.default_rng(0)
    tokens = [token for _ in range(30) for token in parents.walk((32, 32), rng)[0]]
    assert len(tokens) > 300
    assert not any(token.shaped for token in tokens)


def test_as_described_the_worse_parent_gives_a_third() -> None:
    wide, narrow = "max:4x4-conv:64:3x3-to:4x4-head", "max:4x4-conv:8:5x5-to:4x4-head"
    space, rng = Macro(variant="described"), np.random.default_rng(3)
    children = [tokens_of(space.sample_from([narrow, wide], rng, [2.0, 1.0])) for _ in range(600)]
    widths = Counter(token.width for tokens in children for token in tokens if token.word == "conv")
    assert set(widths) == {8, 64}
    assert abs(widths[64] / sum(widths.values()) - 1 / 3) < 0.06


def test_children_of_ranked_parents_may_take_whatever_is_there() -> None:
    """One convolution of 64 channels among nine of 8 is a tenth of them, or with `uniform` a half."""
    archs = ["max:4x4-" + "conv:8:1x1-relu-" * 9 + "conv:64:1x1-relu-to:4x4-head"] * 2
    for uniform, share in ((False, 0.1), (True, 0.5)):
        space, rng = Macro(variant="described"), np.random.default_rng(0)
        children = [tokens_of(space.drawn_from(archs, rng, uniform=uniform)) for _ in range(300)]
        widths = Counter(token.width for tokens in children for token in tokens if token.word == "conv")
        assert set(widths) == {8, 64}
        assert abs(widths[64] / sum(widths.values()) - share) < 0.06
    again = [SPACE.drawn_from([archs[0]], np.random.default_rng(1), uniform=True) for _ in range(2)]
    assert again[0] == again[1]
    with pytest.raises(UsageError, match="got none"):
        SPACE.drawn_from([], rng)
