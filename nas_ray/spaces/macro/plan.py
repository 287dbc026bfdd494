"""What every layer of a chain takes and gives for images of a size, without building anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from nas_ray.errors import UsageError
from nas_ray.spaces.graphs.graph import Layer
from nas_ray.spaces.macro.chain import Sides, Token
from nas_ray.spaces.macro.fitting import SMALLEST, Map, fitted, shape_of, size_behind
from nas_ray.spaces.macro.variant import RELEASED, Variant

EXPANSION: Final = 2
"""Outer channels of a residual block by its inner ones."""
SPATIAL: Final = frozenset(("conv", "res", "down", "bn", "max", "avg", "to"))
"""What needs a map."""
LINEAR: Final = frozenset(("square", "linear", "head"))
_HALVING: Final = Token("conv", sides=(3, 3), stride=(2, 2))


@dataclass(frozen=True)
class Step:
    """A layer with its shapes.

    Attributes:
        token: it, as it fits what comes in.
        takes: the map that comes in, `(features, 1, 1)` behind a linear layer.
        gives: the map that comes out.
    """

    token: Token
    takes: Map
    gives: Map

    @property
    def inner(self) -> int:
        """Inner channels of a residual block."""
        return self.token.width or max(1, self.takes[0] // EXPANSION)

    @property
    def projected(self) -> bool:
        """Whether the shortcut of a residual block has a convolution."""
        return self.token.word == "down" or self.takes[0] != self.gives[0]

    @property
    def layers(self) -> int:
        """How many layers it counts as, as in the released code."""
        return {"res": 7, "down": 8}.get(self.token.word, 1)

    @property
    def params(self) -> int:
        """Weights and biases."""
        word, (taken, *_), (given, *_) = self.token.word, self.takes, self.gives
        if word == "conv":
            return given * (taken // self.token.groups * prod(self.token.sides) + 1)
        if word in ("res", "down"):
            inner, shortcut = self.inner, given * (taken + 2) if self.projected else 0
            return inner * (taken + 2) + inner * (9 * inner + 2) + given * (inner + 2) + shortcut
        if word in LINEAR:
            features = prod(self.takes)
            return (features + 1) * (features if word == "square" else given)
        return 2 * taken if word == "bn" else 0

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of convolutions and linear layers for one image, a bias once per output."""
        word, (taken, *before), (given, *behind) = self.token.word, self.takes, self.gives
        if word == "conv":
            return prod(behind) * self.params
        if word in ("res", "down"):
            inner, shortcut = self.inner, given * taken if self.projected else 0
            return prod(before) * inner * taken + prod(behind) * (9 * inner**2 + given * inner + shortcut)
        return self.params if word in LINEAR else 0

    @property
    def values(self) -> int:
        """Values of the maps that come out of its layers, within a residual block too, for one image."""
        if self.token.word in ("res", "down"):
            before, behind = prod(self.takes[1:]), prod(self.gives[1:])
            outer = 5 if self.projected else 3
            return 3 * self.inner * (before + behind) + outer * prod(self.gives)
        return prod(self.gives)


def steps_of(tokens: Sequence[Token], image: Map, num_classes: int) -> list[Step]:
    """Returns a chain with its shapes.

    Raises:
        UsageError: what needs a map stands behind a layer that makes features.
    """
    steps: list[Step] = []
    at, flat = image, False
    for token in tokens:
        if flat and (token.word in SPATIAL or token.word == "square"):
            raise UsageError(
                f"An arch of macro must have no {token.word} behind a layer that makes features, got {token} "
                f"after {steps[-1].token}."
            )
        token = fitted(token, at)
        steps.append(Step(token, at, gives(token, at, num_classes)))
        at, flat = steps[-1].gives, flat or token.word in ("linear", "head")
    return steps


def gives(token: Token, at: Map, num_classes: int) -> Map:
    """Returns the map that comes out of a layer which fits that which comes in."""
    channels = at[0]
    if token.word in ("conv", "max", "avg"):
        return (token.width or channels, *size_behind(token, at[1:]))
    if token.word == "res":
        return EXPANSION * max(1, channels // EXPANSION), *at[1:]
    if token.word == "down":
        return EXPANSION * token.width, *size_behind(_HALVING, at[1:])
    if token.word == "to":
        return at if min(token.sides) < SMALLEST else (channels, *token.sides)
    if token.word in ("linear", "head"):
        return (token.width or num_classes), 1, 1
    return at


def layers_of_steps(steps: Sequence[Step], variant: Variant = RELEASED) -> Iterator[Layer]:
    """Yields the layers of the net of a variant as a tracer meets them."""
    for step in steps:
        word, token = step.token.word, step.token
        if word in ("res", "down"):
            yield from _block(step)
        elif word == "conv":
            yield _conv(step.gives[0], token.sides, shape_of(token), token.groups)
        elif word in ("max", "avg"):
            yield _pool(token, variant.max_pool if word == "max" else "AvgPool2d")
        elif word == "to":
            yield Layer("AdaptiveAvgPool2d", {"output_size": _text(step.gives[1:])})
        elif word == "dropout":
            yield Layer("Dropout", {"p": token.p})
        elif word in LINEAR:
            features = prod(step.takes) if word == "square" else step.gives[0]
            yield Layer("Linear", {"out_features": str(features)})
        else:
            yield Layer({"bn": "BatchNorm2d", "relu6": variant.relu6}.get(word, "ReLU"))


def _block(step: Step) -> Iterator[Layer]:
    stride = (2, 2) if step.token.word == "down" else (1, 1)
    for side, strides in ((1, (1, 1)), (3, stride)):
        padding = (side // 2, side // 2)
        yield _conv(step.inner, (side, side), (strides, padding, (1, 1)))
        yield from (Layer("BatchNorm2d"), Layer("ReLU"))
    for strides in ((1, 1), stride)[: 1 + step.projected]:
        yield _conv(step.gives[0], (1, 1), (strides, (0, 0), (1, 1)))
        yield Layer("BatchNorm2d")
    yield Layer("ReLU")


def _conv(width: int, sides: Sides, shape: tuple[Sides, Sides, Sides], groups: int = 1) -> Layer:
    names = ("kernel_size", "stride", "padding", "dilation")
    shapes = dict(zip(names, map(_text, (sides, *shape)), strict=True))
    return Layer("Conv2d", {"out_channels": str(width), **shapes, "groups": str(groups)})


def _pool(token: Token, kind: str) -> Layer:
    stride, padding, dilation = map(_text, shape_of(token))
    spread = {"dilation": dilation} if kind == "MaxPool2d" else {}
    shape = {"kernel_size": _text(token.sides), "stride": stride, "padding": padding}
    return Layer(kind, {**shape, **spread})


def _text(sides: Sides) -> str:
    return "x".join(map(str, sides))
