"""The layer-wise space of NAS-RL."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.errors.checks import whole
from nas_ray.spaces.layerwise.costs import count_cost
from nas_ray.spaces.layerwise.given import read_choices
from nas_ray.spaces.layerwise.head import Head
from nas_ray.spaces.layerwise.layers import Layers, read_layers, written
from nas_ray.spaces.layerwise.walk import Choices, Walk
from nas_ray.spaces.sequences import sequence_neighbors

if TYPE_CHECKING:
    from torch import nn


class Layerwise:
    """Nets of any number of layers, each of which reads any of those before it.

    An arch is its layers, such as `3x3x36-5x1x48-max2-3x3x64/2~1+3`: height, width and number of the filters,
    behind `/` the strides if they are not 1, and behind `~` the layers that it reads if these are not the one
    before it alone (0 is the image). What the paper repairs is how nets are built: a layer that reads none
    reads the image, several inputs stand one behind the other, those that no layer reads go to the
    classifier, and smaller maps get zeros around them.

    As a sequence an arch is, layer by layer, its kind where there are pooling layers, `h3`, `w3`, strides
    `sh2`, `sw1` where there are any, `n36`, and `no` or `yes` for each layer before it; these last decisions
    have anchor points. Archs are drawn by their number of layers, uniformly, and then decision by decision.

    Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, sections 3.3 and
    4.1.
    Differs: a convolution is followed by BN and then ReLU, zeros stand around smaller maps, the head is
    global average pooling and one linear layer, and of pooling layers the sizes and places are ours, since
    the paper does not say; in the preset `pooling` the layers of a block read all that the block reads, and
    others read the last of them.

    Args:
        preset: an experiment of the paper, which says what is not given: `plain` (version 1), `strides` (2),
            `pooling` (3) or `filters` (3 with 40 more filters in each layer).
        layers: of each arch; or
        least, most: layers of an arch.
        heights, widths, filters, strides: what convolutions may have, numbers joined by `+` or a sequence.
        pools: pooling layers that layers may be, of `max2`, `max3`, `avg2`, `avg3`; `none` for no other.
        pool_at: numbers of the layers that are pooling layers, and then the only ones; 0 for none.
        skips: `yes` if each layer may read each before it, `no` if it reads the one before it.
        repeat: convolutions in a layer, of which each reads those before it.
        head: side of the grid to which maps are pooled, and units of linear layers before the classifier,
            such as `7+4096+4096`; 1 is global average pooling and nothing else.

    Raises:
        UsageError: options that cannot be.
    """

    name = "layerwise"

    def __init__(self, preset: str = "plain", *, head: str | int = "1", **options: Any) -> None:
        self.preset = preset
        self.head = Head.read(str(head))
        self._walk = Walk(read_choices(preset, options))

    @property
    def limits(self) -> Choices:
        """What layers may be, and how many there are."""
        return self._walk.choices

    def of_depth(self, layers: int) -> Layerwise:
        """Returns the archs of this space that have `layers` layers.

        Raises:
            UsageError: none has.
        """
        whole(1).check("The number of layers", layers)
        least, most = self.limits.least, self.limits.most
        if not least <= layers <= most:
            raise UsageError(f"The archs of this space have {least} to {most} layers, got {layers}.")
        other = copy.copy(self)
        other._walk = Walk(dataclasses.replace(self.limits, least=layers, most=layers))
        return other

    def __getstate__(self) -> dict[str, Any]:
        """Returns all but what is remembered of the last sequence."""
        return {**self.__dict__, "_walk": Walk(self.limits)}

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch of a number of layers that is drawn uniformly, as is each of its decisions."""
        layers = int(rng.integers(self.limits.least, self.limits.most + 1))
        return written(self._walk.draw(rng, layers))

    neighbors = sequence_neighbors

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns what may follow, with `END` where a layer is whole and there are enough."""
        return self._walk.options(tuple(prefix))

    def anchor(self, prefix: tuple[str, ...]) -> tuple[int, int] | None:
        """Returns the anchor points of the layer that may be read, and of the one that may read it."""
        return self._walk.anchor(tuple(prefix))

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions of `arch`.

        Raises:
            UsageError: not an arch of this space.
        """
        return self._read(arch)[1]

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the arch of these decisions.

        Raises:
            UsageError: one is no option there, or the sequence cannot end there.
        """
        return written(self._walk.layers(decisions))

    def __contains__(self, arch: object) -> bool:
        try:
            return isinstance(arch, str) and bool(self._read(arch))
        except UsageError:
            return False

    def label(self, arch: str) -> str:
        """Returns the size of `arch`, such as `15 layers of 36 to 48 filters, 61 skip connections`."""
        return summary(read_layers(arch))

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
        """Returns parameters, and multiply-adds of one image `(3, H, W)`, by formula."""
        return count_cost(self._read(arch)[0], num_classes, self.head, image)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, for images of any size.

        Raises:
            UsageError: not an arch of this space.
        """
        from nas_ray.spaces.layerwise.nets import LayerwiseNet

        return LayerwiseNet(self._read(arch)[0], num_classes, self.head)

    def _read(self, arch: str) -> tuple[Layers, tuple[str, ...]]:
        """Returns layers and decisions of an arch of this space."""
        layers = read_layers(arch)
        decisions = self._walk.decisions(layers)
        if decisions is None:
            raise UsageError(
                f"The arch {arch[:200]!r} is none of this space, which has {self.limits}; give other "
                "options, or another arch."
            )
        return layers, decisions


def summary(layers: Layers) -> str:
    """Returns how many layers, filters and skip connections there are, for people."""
    filters = sorted({layer.filters for layer in layers if not layer.pool})
    pools = sum(bool(layer.pool) for layer in layers)
    skips = sum(
        source not in (0, number - 1) for number, layer in enumerate(layers, 1) for source in layer.sources
    )
    widths = f" of {'-'.join(map(str, dict.fromkeys((filters[0], filters[-1]))))} filters" if filters else ""
    parts = [f"{len(layers)} layer{'s' if len(layers) > 1 else ''}{widths}"]
    parts += [f"{pools} of them pooling"] if pools else []
    return ", ".join([*parts, *([f"{skips} skip connection{'s' if skips > 1 else ''}"] if skips else [])])
