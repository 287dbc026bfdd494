"""A few layers of a type, drawn at random: where derivations end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nas_ray.spaces.grammar.shapes import IMAGE, Shape
from nas_ray.spaces.grammar.terms import FORMS, HEADS, WIDTHS, Chain, Leaf

NORMS = {"bn": 70, "ln": 15, "": 15}
ACTIVATIONS = {"relu": 60, "gelu": 20, "": 20}
POST = 0.6
"""How often a layer comes before its normalisation and activation, and not behind them; the first does."""
CORES: Mapping[str, float] = {
    "conv3": 30,
    "conv1": 12,
    "conv5": 6,
    "conv7": 3,
    "dw3": 14,
    "dw5": 8,
    "dw7": 6,
    "lin": 8,
    "max3": 4,
    "avg3": 4,
    "": 5,
}
"""Layers on maps that keep the type, by their chance of 100."""
CHANGING: Mapping[str, float] = {"conv3": 45, "conv1": 30, "conv5": 8, "conv7": 5, "lin": 12}
"""Layers on maps that change the channels alone."""
SHRINKING: Mapping[str, float] = {"conv3": 50, "conv5": 10, "conv7": 10, "patch": 20, "max3": 5, "avg3": 5}
"""Layers that halve a map and change its channels; a pooling layer stands before a 1x1 convolution."""
TOKEN_CORES: Mapping[str, float] = {"attn": 45, "mix": 25, "lin": 18, "pos": 4, "": 8}
TOKEN_NORM, TOKEN_ACTIVATION = 0.8, 0.25
"""How often normalisation comes before layers on tokens, and an activation behind them."""
HIDDEN = [width for width in WIDTHS if 16 <= width <= 256]
"""Hidden units of token mixing that are drawn."""
LEAST_OF_A_HEAD = 8
"""Channels of a head of attention, at least."""


def drawn_layers(takes: Shape, gives: Shape, rng: np.random.Generator) -> Chain:
    """Returns a few layers that take and give what is said; at least one."""
    if takes.tokens:
        return _on_tokens(takes, gives, rng)
    core = _core(takes, gives, rng)
    norm, activation = (_some(weighted(names, rng)) for names in (NORMS, ACTIVATIONS))
    behind = takes == IMAGE or rng.random() < POST
    made = (*core, *norm, *activation) if behind else (*norm, *activation, *core)
    return made or (Leaf("relu"),)


def _core(takes: Shape, gives: Shape, rng: np.random.Generator) -> Chain:
    if takes == gives:
        return _named(weighted(CORES, rng), takes.width)
    factor = gives.stride // takes.stride
    if factor == 1:
        return _named(weighted(CHANGING, rng), gives.width)
    if factor in (4, 8, 16) and rng.random() < 0.5:
        return (Leaf("patch", factor, gives.width),)
    halving = _halving(gives.width, rng)
    return halving if factor == 2 else (*halving, *_core(_shrunk(takes, gives), gives, rng))


def _shrunk(takes: Shape, gives: Shape) -> Shape:
    return Shape(gives.width, 2 * takes.stride)


def _halving(width: int, rng: np.random.Generator) -> Chain:
    name = weighted(SHRINKING, rng)
    if name == "patch":
        return (Leaf("patch", 2, width),)
    word, kernel = name[:-1], int(name[-1])
    if word == "conv":
        return (Leaf(word, kernel, width, 2),)
    return (Leaf(word, kernel, stride=2), Leaf("conv", 1, width))


def _on_tokens(takes: Shape, gives: Shape, rng: np.random.Generator) -> Chain:
    norm = (Leaf("ln"),) if rng.random() < TOKEN_NORM else ()
    activation = _some(weighted({"gelu": 1, "relu": 1}, rng)) if rng.random() < TOKEN_ACTIVATION else ()
    if takes != gives:
        return (*norm, Leaf("lin", number=gives.width), *activation)
    word = weighted(TOKEN_CORES, rng)
    made = (*norm, *_token_core(word, takes.width, rng), *activation)
    return made or (Leaf("gelu"),)


def _token_core(word: str, width: int, rng: np.random.Generator) -> Chain:
    if word == "attn":
        return (Leaf(word, number=int(rng.choice(heads_for(width)))),)
    if word == "mix":
        return (Leaf(word, number=int(rng.choice(HIDDEN))),)
    return _named(word, width) if word else ()


def heads_for(width: int) -> list[int]:
    """Returns how many heads attention may have that are not too small."""
    return [heads for heads in HEADS if width % heads == 0 and width // heads >= LEAST_OF_A_HEAD]


def _named(name: str, width: int) -> Chain:
    """Returns the layer `name`, a word with its kernel, that gives `width` channels."""
    if not name:
        return ()
    word = name.rstrip("0123456789")
    return (Leaf(word, int(name[len(word) :] or 0), width if FORMS[word].resizes else 0),)


def _some(word: str) -> Chain:
    return (Leaf(word),) if word else ()


def weighted(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """Returns one of the keys, each with a chance in proportion to its weight."""
    names: Sequence[str] = list(weights)
    sums = np.cumsum(list(weights.values()))
    return names[int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))]
