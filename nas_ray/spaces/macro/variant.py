"""In what the space `macro` as released and as described differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from nas_ray.spaces.graphs.graph import LayerGraph
from nas_ray.spaces.graphs.properties import released


@dataclass(frozen=True)
class Variant:
    """One reading of LCMNAS.

    Attributes:
        name: what `as=` says.
        worst: the rank of the worst parent, to which its chance is in proportion. With 0 it has none, and
            where one parent alone has a layer the chain ends.
        counted: whether a value of a property is drawn as often as it was met, and stride, padding, dilation
            and groups are kept; else all values that were met are equally likely, and these are lost.
        max_pool: the class of maximum pooling.
        relu6: the class of ReLU6.
        blocks_seen: whether a linear layer before a residual block makes a map, which that block needs.
    """

    name: str
    worst: int
    counted: bool
    max_pool: str
    relu6: str
    blocks_seen: bool

    def kept(self, graph: LayerGraph) -> LayerGraph:
        """Returns a graph with the properties that the variant keeps."""
        return graph if self.counted else released(graph)


RELEASED: Final = Variant("released", 0, False, "AvgPool2d", "ReLU", False)
DESCRIBED: Final = Variant("described", 1, True, "MaxPool2d", "ReLU6", True)
VARIANTS: Final[Mapping[str, Variant]] = MappingProxyType(
    {variant.name: variant for variant in (RELEASED, DESCRIBED)}
)
