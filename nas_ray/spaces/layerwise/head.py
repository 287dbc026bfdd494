"""What stands between the last layers of a net and its classes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nas_ray.errors import UsageError
from nas_ray.rows import shown

LARGEST_GRID, MOST_UNITS = 16, 65_536

_NUMBER = re.compile("[0-9]{1,6}")


@dataclass(frozen=True)
class Head:
    """Average pooling to a grid, linear layers with ReLU, and the linear classifier.

    Attributes:
        grid: height and width of the pooled maps; 1 is global average pooling.
        units: of the linear layers before the classifier.
    """

    grid: int = 1
    units: tuple[int, ...] = ()

    @classmethod
    def read(cls, text: str) -> Head:
        """Returns the head of a text: the grid and then the units, as in `7+4096+4096`.

        Raises:
            UsageError: it is none.
        """
        parts = str(text).split("+")
        numbers = [int(part) if _NUMBER.fullmatch(part) else 0 for part in parts]
        if not all(numbers) or numbers[0] > LARGEST_GRID or max(numbers) > MOST_UNITS:
            raise UsageError(
                f"The head of a net must be the side of its grid, from 1 to {LARGEST_GRID}, and units of "
                f"linear layers, at most {MOST_UNITS:,}, as in 7+4096+4096; got {shown(text)}."
            )
        return cls(numbers[0], tuple(numbers[1:]))

    def widths(self, channels: int, num_classes: int) -> tuple[int, ...]:
        """Returns the inputs of the first linear layer, and the outputs of each."""
        return (channels * self.grid**2, *self.units, num_classes)
