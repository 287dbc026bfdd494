"""What sentences of a space may have and cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nas_ray.spaces.grammar.costs import Cost, cost_of
from nas_ray.spaces.grammar.terms import Chain, depth_of, size_of


@dataclass(frozen=True)
class Limits:
    """What archs of a space may have.

    Attributes:
        nodes: layers, branches and routings.
        depth: of branches and routings in each other.
        params: weights and biases without those of the classifier.
        values: of all maps and tokens of one image.
    """

    nodes: int
    depth: int
    params: int
    values: int

    def broken_by(self, chain: Chain, size: int) -> str | None:
        """Returns what of a chain is above a limit, the end of a sentence; None if nothing is.

        Raises:
            UsageError: the parts of the chain do not fit.
        """
        return _above(
            (
                ("layers, branches and routings", size_of(chain), self.nodes),
                ("brackets in each other", depth_of(chain), self.depth),
            )
        ) or self._cost_above(cost_of(chain, size), size)

    def _cost_above(self, cost: Cost, size: int) -> str | None:
        return _above(
            (
                ("weights", cost.params, self.params),
                (f"values in its maps of {size} pixels", cost.values, self.values),
            )
        )


def _above(found: Iterable[tuple[str, int, int]]) -> str | None:
    """Returns the first of what is found, each with how much of it and the most, that is more than that."""
    return next(
        (f"has {many:,} {what}, more than {most:,}" for what, many, most in found if many > most), None
    )
