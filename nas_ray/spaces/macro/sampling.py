"""Draws chains of layers from the graphs of nets, a parent for every layer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from nas_ray.spaces.graphs.graph import END, START, LayerGraph
from nas_ray.spaces.macro.chain import Token
from nas_ray.spaces.macro.plan import SMALLEST, kernel_on

RESIDUAL, DOWN = 0.5, 0.3
"""How often a convolution becomes a residual block, and how often such a block halves the map."""
DROPOUT = "0.5"
"""Before the classifier, where no parent has one."""

WORDS = {"BatchNorm2d": "bn", "ReLU": "relu", "ReLU6": "relu6", "MaxPool2d": "max", "AvgPool2d": "avg"}
"""Kinds of layers that are one word, with a kernel where it has one."""


class Parents:
    """Graphs of nets from which chains are drawn.

    For every layer another parent is drawn, among those that have the layer before: with a probability in
    proportion to its rank by fitness, from 0. So the worst has no chance, and where one parent alone has the
    layer, the chain ends. Of a single parent every layer is drawn.

    Args:
        graphs: from the worst to the best; properties as `graphs.properties.released` has them.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, as in its
        released code.
    Differs: none known.
    """

    def __init__(self, graphs: Sequence[LayerGraph]) -> None:
        self._single = graphs[0] if len(graphs) == 1 else None
        self._graphs: dict[str, list[LayerGraph]] = {}
        for graph in graphs:
            for node in graph.transitions:
                self._graphs.setdefault(node, []).append(graph)

    def drawn(self, node: str, rng: np.random.Generator) -> LayerGraph | None:
        """Returns a parent that has `node`; None where none may be one."""
        graphs = self._graphs.get(node, [])
        if len(graphs) < 2:
            return self._single if graphs else None
        sums = [rank * (rank + 1) // 2 for rank in range(len(graphs))]
        return graphs[bisect_right(sums, rng.random() * sums[-1])]

    def chain(self, size: tuple[int, int], rng: np.random.Generator) -> tuple[list[Token], bool]:
        """Returns a chain for images of `size`, and whether it ended for want of a parent."""
        made: list[tuple[str, Token]] = []
        node = START
        while True:
            parent = self.drawn(node, rng)
            if parent is None:
                return self._finished(made, rng), True
            kind = _weighted(parent.transitions[node], rng)
            if kind == END:
                return self._finished(made, rng), False
            token = _token(kind, parent.properties[kind], rng)
            if token.word == "conv" and rng.random() < RESIDUAL:
                down = rng.random() < DOWN and min(size) >= SMALLEST
                token, kind = Token("down", token.width) if down else Token("res"), "Bottleneck"
            size = _size_after(token, size)
            made.append((kind, token))
            node = "ReLU" if kind == "Bottleneck" else kind

    def _finished(self, made: list[tuple[str, Token]], rng: np.random.Generator) -> list[Token]:
        """Returns the tokens with a classifier at their end, and linear layers told apart."""
        if made[-1][0] != "Linear":
            if "ReLU" not in made[-1][0]:
                made = [*made, ("ReLU", Token("relu"))]
            parent = self.drawn("Dropout", rng)
            p = DROPOUT if parent is None else _weighted(parent.properties["Dropout"]["p"], rng)
            made = [*made, ("Dropout", Token("dropout", p=p)), ("Linear", Token("linear"))]
        kinds = [kind for kind, _ in made]
        tokens = [
            Token("square") if kind == "Linear" and _is_square(kinds[place + 1 :]) else token
            for place, (kind, token) in enumerate(made)
        ]
        return [*tokens[:-1], Token("head")]


def _is_square(following: Sequence[str]) -> bool:
    """Returns whether a map must come out of a linear layer: where the next layer that matters needs one.

    The released code does not see residual blocks here, so what they would need is found to be missing later.
    """
    for kind in following:
        if kind == "Linear":
            return False
        if kind == "Conv2d" or kind == "BatchNorm2d" or "Pool" in kind:
            return True
    return False


def _token(kind: str, properties: Mapping[str, Mapping[str, int]], rng: np.random.Generator) -> Token:
    """Returns a layer with properties drawn one by one."""
    drawn = {name: _weighted(values, rng) for name, values in properties.items()}
    if kind == "Conv2d":
        return Token("conv", int(drawn["out_channels"]), _sides(drawn["kernel_size"]))
    if kind == "Linear":
        return Token("linear", int(drawn["out_features"]))
    if kind == "Dropout":
        return Token("dropout", p=drawn["p"])
    if kind == "AdaptiveAvgPool2d":
        return Token("to", sides=_sides(drawn["output_size"]))
    return Token(WORDS[kind], sides=_sides(drawn["kernel_size"]) if "kernel_size" in drawn else (0, 0))


def _sides(text: str) -> tuple[int, int]:
    rows, _, columns = text.partition("x")
    return int(rows), int(columns)


def _size_after(token: Token, size: tuple[int, int]) -> tuple[int, int]:
    """Returns the size that the released code keeps while it draws, in which adaptive pooling always acts."""
    if token.word == "to":
        return token.sides
    if token.word == "down":
        return (size[0] + 1) // 2, (size[1] + 1) // 2
    if token.word in ("max", "avg"):
        kernel = kernel_on(token, size)
        return size[0] // kernel[0], size[1] // kernel[1]
    return size


def _weighted(weights: Mapping[str, int], rng: np.random.Generator) -> str:
    """Returns one of the keys, each with a probability in proportion to its weight."""
    if len(weights) == 1:
        return next(iter(weights))
    sums = list(accumulate(weights.values()))
    return list(weights)[bisect_right(sums, rng.random() * sums[-1])]
