"""What every layer of a chain takes and gives for images of a size, without building anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from nas_ray.errors import UsageError
from nas_ray.spaces.graphs.graph import Layer
from nas_ray.spaces.macro.chain import Token

Map = tuple[int, int, int]
"""Channels, height and width."""

EXPANSION: Final = 2
"""Outer channels of a residual block by its inner ones."""
SPATIAL: Final = frozenset(("conv", "res", "down", "bn", "max", "avg", "to"))
"""What needs a map."""
LINEAR: Final = frozenset(("square", "linear", "head"))
SMALLEST: Final = 3
"""A side of a map below which adaptive pooling leaves it as it is."""


@dataclass(frozen=True)
class Step:
    """A layer with its shapes.

    Attributes:
        token: it.
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
    def kernel(self) -> tuple[int, int]:
        """The kernel of pooling on what comes in."""
        return kernel_on(self.token, self.takes[1:])

    @property
    def params(self) -> int:
        """Weights and biases."""
        word, (taken, *_), (given, *_) = self.token.word, self.takes, self.gives
        if word == "conv":
            return given * (taken * self.token.sides[0] * self.token.sides[1] + 1)
        if word in ("res", "down"):
            inner, shortcut = self.inner, given * (taken + 2) if self.projected else 0
            return inner * (taken + 2) + inner * (9 * inner + 2) + given * (inner + 2) + shortcut
        if word in LINEAR:
            features = prod(self.takes)
            return (features + 1) * (features if word == "square" else given)
        return 2 * taken if word == "bn" else 0


def kernel_on(pooling: Token, size: tuple[int, int]) -> tuple[int, int]:
    """Returns the kernel of pooling on a map of `size`: 1 where a side is no larger than it."""
    fits = size[0] > pooling.sides[0] and size[1] > pooling.sides[1]
    return pooling.sides if fits else (1, 1)


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
        steps.append(Step(token, at, _gives(token, at, num_classes)))
        at, flat = steps[-1].gives, flat or token.word in ("linear", "head")
    return steps


def layers_of_steps(steps: Sequence[Step]) -> Iterator[Layer]:
    """Yields the layers of the net as a tracer meets them, with what the released code keeps of each."""
    for step in steps:
        word, given = step.token.word, step.gives[0]
        if word in ("res", "down"):
            yield from _block(step)
        elif word == "conv":
            yield _conv(given, step.token.sides)
        elif word in ("max", "avg"):
            yield Layer("AvgPool2d", {"kernel_size": "x".join(map(str, step.kernel))})
        elif word == "to":
            yield Layer("AdaptiveAvgPool2d", {"output_size": "x".join(map(str, step.gives[1:]))})
        elif word == "dropout":
            yield Layer("Dropout", {"p": step.token.p})
        elif word in LINEAR:
            features = prod(step.takes) if word == "square" else given
            yield Layer("Linear", {"out_features": str(features)})
        else:
            yield Layer("BatchNorm2d" if word == "bn" else "ReLU")


def _block(step: Step) -> Iterator[Layer]:
    for kernel in (1, 3):
        yield from (_conv(step.inner, (kernel, kernel)), Layer("BatchNorm2d"), Layer("ReLU"))
    for _ in range(1 + step.projected):
        yield from (_conv(step.gives[0], (1, 1)), Layer("BatchNorm2d"))
    yield Layer("ReLU")


def _conv(width: int, sides: tuple[int, int]) -> Layer:
    return Layer("Conv2d", {"out_channels": str(width), "kernel_size": "x".join(map(str, sides))})


def _gives(token: Token, at: Map, num_classes: int) -> Map:
    channels, rows, columns = at
    if token.word == "conv":
        rows, columns = (side + 2 * (k // 2) - k + 1 for side, k in zip(at[1:], token.sides, strict=True))
        return token.width, rows, columns
    if token.word == "res":
        return EXPANSION * max(1, channels // EXPANSION), rows, columns
    if token.word == "down":
        return EXPANSION * token.width, (rows + 1) // 2, (columns + 1) // 2
    if token.word in ("max", "avg"):
        kernel = kernel_on(token, (rows, columns))
        return channels, rows // kernel[0], columns // kernel[1]
    if token.word == "to":
        return at if min(token.sides) < SMALLEST else (channels, *token.sides)
    if token.word in ("linear", "head"):
        return (token.width or num_classes), 1, 1
    return at
