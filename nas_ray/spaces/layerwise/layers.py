"""The layers of an arch, and their text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT
from nas_ray.spaces.darts_cells import LONGEST

IMAGE: Final = 0
"""The number of the image; layers are counted from 1."""

POOLS: Final = {"max2": 2, "max3": 3, "avg2": 2, "avg3": 3}
"""Pooling layers by name, with the side of their windows; each halves height and width."""

_SOURCES = r"(?:~(?P<sources>[0-9]{1,6}(?:\+[0-9]{1,6})*))?"


def _number(name: str) -> str:
    return f"(?P<{name}>[0-9]{{1,6}})"


_CONVOLUTION = re.compile(
    f"{_number('height')}x{_number('width')}x{_number('filters')}"
    rf"(?:/{_number('down')}(?:x{_number('across')})?)?(?:\*{_number('repeat')})?{_SOURCES}"
)
_POOL = re.compile(rf"(?P<pool>{'|'.join(POOLS)}){_SOURCES}")


@dataclass(frozen=True)
class Layer:
    """One layer: a convolution with BN and ReLU, or pooling.

    Attributes:
        sources: numbers of the layers that it reads, ascending; the image is 0.
        height, width: of the filters, odd.
        filters: how many.
        down, across: strides in height and width.
        repeat: convolutions in it, of which each reads what the layer reads and all those before it; more
            than one have no strides.
        pool: name of `POOLS`; empty for a convolution, and otherwise nothing but `sources` counts.
    """

    sources: tuple[int, ...]
    height: int = 1
    width: int = 1
    filters: int = 0
    down: int = 1
    across: int = 1
    repeat: int = 1
    pool: str = ""

    @property
    def strides(self) -> tuple[int, int]:
        """By how much height and width of the maps shrink."""
        return (2, 2) if self.pool else (self.down, self.across)

    def written(self, number: int) -> str:
        """Returns the text of this layer, which is layer `number` of its net."""
        if self.pool:
            text = self.pool
        else:
            text = f"{self.height}x{self.width}x{self.filters}"
            if self.strides != (1, 1):
                text += f"/{self.down}" if self.down == self.across else f"/{self.down}x{self.across}"
            if self.repeat > 1:
                text += f"*{self.repeat}"
        before = (number - 1,)
        return text if self.sources == before else f"{text}~{'+'.join(map(str, self.sources))}"


Layers = tuple[Layer, ...]


def written(layers: Sequence[Layer]) -> str:
    """Returns the arch of these layers, such as `3x3x36-3x3x48-max2-5x1x36/2~1+3`."""
    return "-".join(layer.written(number) for number, layer in enumerate(layers, 1))


def read_layers(arch: str) -> Layers:
    """Returns the layers of an arch.

    Raises:
        UsageError: it is none, or not written as `written` writes it.
    """
    TEXT.check("An arch", arch)
    layers = tuple(_read(text, number, arch) for number, text in enumerate(arch.split("-"), 1))
    if written(layers) != arch:
        raise UsageError(f"The arch {arch[:LONGEST]!r} must be written {written(layers)[:LONGEST]}.")
    return layers


def loose_ends(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Returns the numbers of the layers that no layer reads, which the classifier does."""
    read = {source for layer in layers for source in layer.sources}
    return tuple(number for number in range(1, len(layers) + 1) if number not in read)


def _read(text: str, number: int, arch: str) -> Layer:
    found = _CONVOLUTION.fullmatch(text) or _POOL.fullmatch(text)
    parts = found.groupdict() if found else {}
    sources = tuple(map(int, (parts.pop("sources", None) or str(number - 1)).split("+")))
    ordered = sources == tuple(sorted(set(sources))) and sources[-1] < number
    if not parts or not ordered or (len(sources) > 1 and IMAGE in sources):
        raise UsageError(
            f"A layer must read like 3x3x36, 3x7x48/2~1+3 or max2, with the earlier layers that it reads "
            f"ascending behind ~ (0 alone is the image); got {text[:80]!r} as layer {number} of "
            f"{arch[:200]!r}."
        )
    if pool := parts.get("pool"):
        return Layer(sources, pool=pool)
    height, width, filters = (int(parts[name]) for name in ("height", "width", "filters"))
    down, repeat = int(parts["down"] or "1"), int(parts["repeat"] or "1")
    across = int(parts["across"] or down)
    layer = Layer(sources, height, width, filters, down, across, repeat)
    whole = min(layer.filters, *layer.strides, layer.repeat)
    strided = layer.repeat > 1 and layer.strides != (1, 1)
    if not layer.height % 2 or not layer.width % 2 or not whole or strided:
        raise UsageError(
            f"A convolution must have filters of odd height and width, one filter or more, and strides of 1 "
            f"or more, which several in one layer have not; got {text[:80]!r} as layer {number}."
        )
    return layer
