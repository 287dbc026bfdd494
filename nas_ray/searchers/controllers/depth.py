"""Archs that grow in the course of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_ray.errors import UsageError
from nas_ray.spaces.needs import layered_space, sequence_space

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace, SequenceSpace


class Depth:
    """Says of what depth archs are drawn: `first` layers, and `by` more after every `every` samples.

    Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, section 4.1,
    which begins with 6 layers and adds 2 every 1,600 samples.
    Differs: where the space has no deeper archs, the deepest before stay.

    Args:
        space: a `LayeredSpace`.
        first: layers.
        by: layers.
        every: samples.

    Raises:
        UsageError: the space tells no depths apart, or has no archs of `first` layers.
    """

    def __init__(self, space: SearchSpace, first: int, by: int, every: int) -> None:
        self._space = layered_space(space, "depth")
        self._first, self._by, self._every = first, by, every
        self._known = [sequence_space(self._space.of_depth(first), "depth")]
        self._deepest = False  # whether the last one is

    def space(self, samples: int) -> SequenceSpace:
        """Returns the archs that are drawn after so many samples."""
        wanted = samples // self._every
        while len(self._known) <= wanted and not self._deepest:
            layers = self._first + self._by * len(self._known)
            try:
                self._known.append(sequence_space(self._space.of_depth(layers), "depth"))
            except UsageError:
                self._deepest = True
        return self._known[min(wanted, len(self._known) - 1)]
