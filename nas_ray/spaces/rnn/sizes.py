"""How wide the nets of recurrent cells are, and what they cost."""

from __future__ import annotations

from typing import NoReturn

from nas_ray.errors import UsageError
from nas_ray.errors.checks import whole

MOST_WIDTH = 16_384
"""Above that of any net that one machine could train."""

READS = "tokens"
"""What the nets of these spaces read: whole numbers `[B, T]` below the size of a vocabulary."""


class RecurrentSizes:
    """The sizes that spaces of recurrent nets have in common.

    The embedding of the words is the matrix of the classifier too, as published; where it is not as wide as
    the cell, a linear layer without a bias leads from one to the other.

    Args:
        width: H, features of the state. Published for DARTS: 300 in search, 850 in evaluation.
        embedding: features of an embedded word; None for as many as `width`, as published.

    Raises:
        UsageError: sizes that cannot be.
    """

    name: str
    reads = READS

    def __init__(self, width: int = 300, embedding: int | None = None) -> None:
        self.width = width
        self.embedding = width if embedding is None else embedding
        for what, value in (("width", width), ("embedding", self.embedding)):
            whole(1).check(f"The {what} of {self.name}", value)
            if value > MOST_WIDTH:
                most = f"must be at most {MOST_WIDTH:,}, got {value}."
                raise UsageError(f"The {what} of {self.name} {most}")

    def for_image_size(self, image_size: int) -> NoReturn:
        """Refuses images.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"The nets of {self.name} read the words of a text, not images; give a text, as with --task "
            "text:PATH, or another space, such as nats-tss."
        )
