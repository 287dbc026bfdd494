"""Generated images with a known answer, as they are named; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, get_type_hints

from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.images.definition import Definition
from nas_ray.images.unseen.definitions import Language, Shapes, Sudoku
from nas_ray.images.unseen.made_of_others import Add, Mult, Tile

SMALLEST, LARGEST = 8, 64
"""Pixels."""


@dataclass(frozen=True)
class Pairs(Definition):
    """Two classes that the ends of long pairs of pixels tell apart; those of short pairs do so mostly.

    An image is grey with `pairs` long and as many short pairs of pixels, each in a row of its own at a random
    column. Half of its marked pixels are bright and half are dark, in every image. In class 0 the two ends
    of a long pair are alike (half of the pairs bright, half dark), in class 1 they are not (half begin
    bright, half dark). The short pairs say the same in an image with probability `shortcut`, else the
    opposite, all of them together. Long pairs span 5 pixels and short ones 3, ends counted.

    So no single pixel and no number of pixels tells anything. One convolution before a global average tells
    the classes apart always if its window is 5 wide, with probability `shortcut` if it is 3 wide, and not
    better than a guess if it is 1 wide. The test images follow the same law. Image i depends on the seed and
    on i, not on how many there are.

    Args:
        shortcut: how often the short pairs are right, from 0.5 (they say nothing) to 1.
        seed: draws the images.
        train: number of training images; every second one is of class 0.
        test: number of test images.
        size: height and width in pixels.
        pairs: long pairs of an image, an even number; of short pairs there are as many.
        noise: standard deviation of what is added to every pixel, where background is 0.5 and marked pixels
            are 0.5 + 0.35 and 0.5 - 0.35.

    Raises:
        UsageError: a value that cannot be.
    """

    kind: ClassVar[str] = "pairs"

    shortcut: float = 0.8
    seed: int = 0
    train: int = 2_000
    test: int = 1_000
    size: int = 16
    pairs: int = 4
    noise: float = 0.05

    def __post_init__(self) -> None:
        self.hold("shortcut", "from 0.5 to 1", 0.5 <= self.shortcut <= 1)
        self.hold_counts()
        fits = SMALLEST <= self.size <= LARGEST and self.size % 4 == 0
        self.hold("size", f"a multiple of 4 from {SMALLEST} to {LARGEST}", fits)
        even = self.pairs >= 2 and self.pairs % 2 == 0
        what = f"even and from 2 to {self.size // 4 * 2}, as each pair has a row"
        self.hold("pairs", what, even and 2 * self.pairs <= self.size)
        self.hold("noise", "from 0 to 1", 0 <= self.noise <= 1)

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return self.size

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return 2


KINDS: dict[str, type[Definition]] = {
    made.kind: made for made in (Pairs, Add, Mult, Tile, Language, Sudoku, Shapes)
}
"""What can be generated, by the word behind `generated:`."""

_READ: dict[Any, tuple[str, Callable[[str], float]]] = {
    int: ("a whole number", int),
    float: ("a number", float),
}
"""What an option must be that is no text."""


def parse_generated(text: str) -> Definition:
    """Returns what stands behind `generated:`, such as `pairs,shortcut=0.9,seed=3`.

    Raises:
        UsageError: nothing of that name, an unknown option, or a value that cannot be.
    """
    name, *options = (part.strip() for part in text.split(","))
    if name not in KINDS:
        raise UsageError(unknown_name("generated images", name, list(KINDS)))
    kind = KINDS[name]
    hints = get_type_hints(kind)
    types = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for option in options:
        key, equals, value = (part.strip() for part in option.partition("="))
        if not equals:
            shown = printable([option])[0]
            raise UsageError(f"An option of generated:{name} must read NAME=VALUE, got '{shown}'.")
        if key not in types:
            raise UsageError(unknown_name(f"option of generated:{name}", key, list(types)))
        if key in values:
            raise UsageError(f"Each option of generated:{name} must be given once, got {key} twice.")
        values[key] = _value(name, key, value, types[key])
    return kind(**values)


def _value(name: str, key: str, text: str, kind: Any) -> float | str:
    if kind is str:
        return text
    what, read = _READ[kind]
    try:
        value = read(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{key} of generated:{name} must be {what}, got '{printable([text])[0]}'.")
    return value
