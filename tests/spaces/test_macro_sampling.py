"""How chains of `macro` are drawn from graphs, rule by rule."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces.graphs import LayerGraph
from nas_ray.spaces.macro import space as macro
from nas_ray.spaces.macro.chain import Token, tokens_of, written
from nas_ray.spaces.macro.sampling import Parents
from nas_ray.spaces.macro.space import Macro, seeds, why_not

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


def test_draws_are_those_of_the_released_code() -> None:
    """Simulated with its fitness: lengths, blocks as 7 or 8, of mean 66, median 47, 22 % cut."""
    rng = np.random.default_rng(0)
    lengths, words, cut = [], Counter[str](), 0
    for _ in range(1500):
        parents = Parents([seeds()[place] for place in rng.permutation(len(seeds()))])
        tokens, ended = parents.chain((32, 32), rng)
        lengths.append(sum(macro._weight(token) for token in tokens))
        words.update(token.word for token in tokens)
        cut += ended
    assert 60 < np.mean(lengths) < 100
    assert 40 < np.median(lengths) < 75
    assert 0.1 < cut / 1500 < 0.3
    shares = {word: 100 * count / sum(words.values()) for word, count in words.items()}
    blocks, linear = (
        shares["res"] + shares["down"],
        shares["head"] + shares["square"] + shares.get("linear", 0),
    )
    found = [blocks, shares["conv"], shares["relu"], shares["bn"], shares["max"], linear, shares["dropout"]]
    assert np.abs(np.array(found) - [22.0, 21.8, 21.4, 19.3, 7.2, 3.7, 2.7]).max() < 2.5


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
            assert why_not(tokens_of(child)) is None
    assert SPACE.label(wide) == "2 conv of 7"
    with pytest.raises(UsageError, match="got 2 parents and 1 fitnesses"):
        SPACE.sample_from([wide, narrow], rng, [1.0])
    with pytest.raises(UsageError, match="got 0 parents and no fitnesses"):
        SPACE.sample_from([], rng)
