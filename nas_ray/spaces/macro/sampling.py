"""Draws chains of layers from the graphs of nets, a parent for every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from nas_ray.spaces.by_rank import by_rank
from nas_ray.spaces.graphs.graph import END, START, LayerGraph
from nas_ray.spaces.macro.chain import Sides, Token, sides_of
from nas_ray.spaces.macro.fitting import SMALLEST, fitted
from nas_ray.spaces.macro.plan import gives
from nas_ray.spaces.macro.variant import RELEASED, Variant

RESIDUAL, DOWN = 0.5, 0.3
"""How often a convolution becomes a residual block, and how often such a block halves the map."""
DROPOUT = "0.5"
"""Before the classifier, where no parent has one."""

WORDS = {"BatchNorm2d": "bn", "ReLU": "relu", "ReLU6": "relu6", "MaxPool2d": "max", "AvgPool2d": "avg"}
"""Kinds of layers that are one word, with a kernel where it has one."""
KINDS = {
    **{word: kind for kind, word in WORDS.items()},
    **dict.fromkeys(("res", "down"), "Bottleneck"),
    **dict.fromkeys(("square", "linear", "head"), "Linear"),
    "conv": "Conv2d",
    "to": "AdaptiveAvgPool2d",
    "dropout": "Dropout",
}
"""The kind of layer of each word; a residual block is a `Bottleneck`."""


class Parents:
    """Graphs of nets from which chains are drawn.

    For every layer another parent is drawn, among those that have the layer before, with a probability in
    proportion to its rank by fitness. As released ranks begin with 0: so the worst has no chance, and where
    one parent alone has the layer, the chain ends. As described they begin with 1. Of a single parent every
    layer is drawn.

    Args:
        graphs: from the worst to the best; properties as `variant.kept` has them.
        variant: as released or as described.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, as in its
        released code.
    Differs: as released, none known. As described, what is drawn for one layer property by property is made
        to fit (`fitting.py`).
    """

    def __init__(self, graphs: Sequence[LayerGraph], variant: Variant = RELEASED) -> None:
        self._single = graphs[0] if len(graphs) == 1 else None
        self._variant = variant
        self._graphs: dict[str, list[LayerGraph]] = {}
        for graph in graphs:
            for node in graph.transitions:
                self._graphs.setdefault(node, []).append(graph)

    def drawn(self, node: str, rng: np.random.Generator) -> LayerGraph | None:
        """Returns a parent that has `node`; None where none may be one."""
        graphs = self._graphs.get(node, [])
        if len(graphs) < 2:
            return self._single or graphs[0] if graphs and (self._single or self._variant.worst) else None
        return graphs[by_rank(len(graphs), rng, self._variant.worst) or 0]

    def chain(self, size: Sides, rng: np.random.Generator) -> tuple[list[Token], bool]:
        """Returns a chain for images of `size`, and whether it ended for want of a parent."""
        made, cut = self.walk(size, rng)
        return self._finished(made, rng), cut

    def walk(self, size: Sides, rng: np.random.Generator) -> tuple[list[Token], bool]:
        """Returns the layers of a chain before it is given a classifier, and whether a parent was wanting."""
        made: list[Token] = []
        node = START
        while True:
            token = self.following(node, size, rng)
            if token is None or token.word == END:
                return made, token is None
            made.append(token)
            size, node = self._size_after(token, size), node_of(token)

    def following(self, node: str, size: Sides, rng: np.random.Generator) -> Token | None:
        """Returns a layer drawn to follow `node` on a map of `size`.

        It is a token of the word `END` where the chain ends there, and None where no parent may be one.
        """
        parent = self.drawn(node, rng)
        if parent is None:
            return None
        kind = _weighted(parent.transitions[node], rng)
        return Token(END) if kind == END else self._layer(kind, parent, size, rng)

    def again(self, token: Token, size: Sides, rng: np.random.Generator) -> Token | None:
        """Returns a layer of the same kind with properties drawn anew; None where no parent may be one."""
        kind = "Conv2d" if KINDS[token.word] == "Bottleneck" else KINDS[token.word]
        parent = self.drawn(kind, rng)
        return None if parent is None else self._layer(kind, parent, size, rng)

    def _layer(self, kind: str, parent: LayerGraph, size: Sides, rng: np.random.Generator) -> Token:
        token = _token(kind, parent.properties[kind], rng)
        if token.word == "conv" and rng.random() < RESIDUAL:
            down = rng.random() < DOWN and min(size) >= SMALLEST
            return Token("down", token.width) if down else Token("res")
        return token

    def _finished(self, made: Sequence[Token], rng: np.random.Generator) -> list[Token]:
        """Returns the tokens with a classifier at their end, and linear layers told apart."""
        tokens = list(made)
        if tokens[-1].word != "linear":
            if "relu" not in tokens[-1].word:
                tokens.append(Token("relu"))
            parent = self.drawn("Dropout", rng)
            p = DROPOUT if parent is None else _weighted(parent.properties["Dropout"]["p"], rng)
            tokens += [Token("dropout", p=p), Token("linear")]
        squares = [
            Token("square") if token.word == "linear" and self.is_square(tokens[place + 1 :]) else token
            for place, token in enumerate(tokens)
        ]
        return [*squares[:-1], Token("head")]

    def is_square(self, following: Sequence[Token]) -> bool:
        """Returns whether a map must come out of a linear layer: where the next layer that matters needs one.

        The released code does not see residual blocks here, so what they need is found to be missing later.
        """
        needing = ("conv", "bn", "max", "avg", "to", *(("res", "down") if self._variant.blocks_seen else ()))
        for token in following:
            if KINDS[token.word] == "Linear":
                return False
            if token.word in needing:
                return True
        return False

    def _size_after(self, token: Token, size: Sides) -> Sides:
        """Returns the size behind a layer; in that of the released code adaptive pooling always acts."""
        if token.word == "to" and not self._variant.counted:
            return token.sides
        if token.word == "linear":  # as if it kept the map
            return size
        at = (token.width or 1, *size)
        return gives(fitted(token, at), at, 1)[1:]


def node_of(token: Token) -> str:
    """Returns the node of a graph that a layer is; what follows a residual block follows its last ReLU."""
    return "ReLU" if KINDS[token.word] == "Bottleneck" else KINDS[token.word]


def _token(kind: str, properties: Mapping[str, Mapping[str, int]], rng: np.random.Generator) -> Token:
    """Returns a layer with properties drawn one by one."""
    drawn = {name: _weighted(values, rng) for name, values in properties.items()}
    if kind == "Linear":
        return Token("linear", int(drawn["out_features"]))
    if kind == "Dropout":
        return Token("dropout", p=drawn["p"])
    if kind == "AdaptiveAvgPool2d":
        return Token("to", sides=_sides(drawn, "output_size"))
    sides = _sides(drawn, "kernel_size")
    stride, padding = sides_of(drawn.get("stride")), sides_of(drawn.get("padding"))
    if kind == "Conv2d":
        dilation, groups = sides_of(drawn.get("dilation")), int(drawn.get("groups", 1))
        return Token("conv", int(drawn["out_channels"]), sides, "", stride, padding, dilation, groups)
    return Token(WORDS[kind], sides=sides, stride=stride, padding=padding)


def _sides(drawn: Mapping[str, str], name: str) -> Sides:
    return sides_of(drawn.get(name)) or (0, 0)


def _weighted(weights: Mapping[str, int], rng: np.random.Generator) -> str:
    """Returns one of the keys, each with a probability in proportion to its weight."""
    if len(weights) == 1:
        return next(iter(weights))
    place = rng.random() * sum(weights.values())
    ends = zip(weights, accumulate(weights.values()), strict=True)
    return next(key for key, end in ends if place < end)
