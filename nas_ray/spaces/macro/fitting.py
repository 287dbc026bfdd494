"""What a layer does on a map of a size: its properties were drawn one by one, so some are made to fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from math import gcd
from typing import Final

from nas_ray.spaces.macro.chain import Sides, Token

Map = tuple[int, int, int]
"""Channels, height and width."""
SMALLEST: Final = 3
"""A side of a map below which it is not halved, and adaptive pooling leaves it as it is."""


def fitted(token: Token, at: Map) -> Token:
    """Returns the layer that a token is on a map, written in the shortest way; most tokens are it.

    - Pooling has a kernel of 1 where a side of the map is no larger than its kernel.
    - A map with a side below `SMALLEST` meets no stride of a convolution.
    - Groups are the most that divide the channels that come in and go out, up to those of the token.
    - Padding is at most what keeps the map, and that where the map would be smaller than the kernel.
    - Dilation is 1 where the map would be smaller than the dilated kernel.
    """
    if token.word == "conv":
        return _convolution(token, at) if token.shaped else token
    return _pooling(token, at[1:]) if token.word in ("max", "avg") else token


def kernel_on(pooling: Token, size: Sides) -> Sides:
    """Returns the kernel of pooling on a map of `size`: 1 where a side is no larger than it."""
    fits = size[0] > pooling.sides[0] and size[1] > pooling.sides[1]
    return pooling.sides if fits else (1, 1)


def shape_of(token: Token) -> tuple[Sides, Sides, Sides]:
    """Returns stride, padding and dilation of a convolution or of pooling that fits."""
    dilation = token.dilation or (1, 1)
    if token.word == "conv":
        return token.stride or (1, 1), token.padding or _keeping(token.sides, dilation), dilation
    return token.stride or token.sides, token.padding or (0, 0), dilation


def size_behind(token: Token, size: Sides) -> Sides:
    """Returns the size of the map that comes out of a convolution or of pooling that fits."""
    stride, padding, dilation = shape_of(token)
    rows, columns = (
        (side + 2 * pad - spread * (kernel - 1) - 1) // step + 1
        for side, kernel, step, pad, spread in zip(size, token.sides, stride, padding, dilation, strict=True)
    )
    return rows, columns


def _convolution(token: Token, at: Map) -> Token:
    channels, *size = at
    spread = token.dilation or (1, 1)
    if any(d * (k - 1) >= side for d, k, side in zip(spread, token.sides, size, strict=True)):
        spread = (1, 1)
    keeping = _keeping(token.sides, spread)
    padding = keeping
    if token.padding is not None:
        padding = _both(min(pad, most) for pad, most in zip(token.padding, keeping, strict=True))
    reach = [d * (k - 1) + 1 for d, k in zip(spread, token.sides, strict=True)]
    if any(side + 2 * pad < most for side, pad, most in zip(size, padding, reach, strict=True)):
        padding = keeping
    return dataclasses.replace(
        token,
        stride=_unless((1, 1), token.stride if min(size) >= SMALLEST else None),
        padding=_unless(keeping, padding),
        dilation=_unless((1, 1), spread),
        groups=_largest_divisor(gcd(channels, token.width), token.groups),
    )


def _pooling(token: Token, size: Sides) -> Token:
    sides = kernel_on(token, size)
    if sides != token.sides:
        return Token(token.word, sides=sides)
    if not token.shaped:
        return token
    padding = None
    if token.padding is not None:
        padding = _both(min(pad, side // 2) for pad, side in zip(token.padding, sides, strict=True))
    return dataclasses.replace(token, stride=_unless(sides, token.stride), padding=_unless((0, 0), padding))


def _keeping(sides: Sides, dilation: Sides) -> Sides:
    """Returns the padding with which a kernel of odd sides keeps a map."""
    return _both(d * (k // 2) for d, k in zip(dilation, sides, strict=True))


def _both(sides: Iterable[int]) -> Sides:
    rows, columns = sides
    return rows, columns


def _unless(usual: Sides, sides: Sides | None) -> Sides | None:
    return None if sides == usual else sides


def _largest_divisor(number: int, most: int) -> int:
    return next(divisor for divisor in range(min(number, most), 0, -1) if number % divisor == 0)
