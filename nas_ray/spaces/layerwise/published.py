"""Nets of papers as archs of the layer-wise space, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from nas_ray.spaces.by_name import NamedArchs
from nas_ray.spaces.layerwise.costs import count_cost
from nas_ray.spaces.layerwise.head import Head
from nas_ray.spaces.layerwise.layers import Layer, Layers, read_layers, written
from nas_ray.spaces.layerwise.space import summary
from nas_ray.spaces.stems import SMALL, stem_for

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Published:
    """A net of a paper.

    Attributes:
        arch: its layers, as the space `layerwise` writes them.
        head: what follows them, as that space has it as an option.
        small_head: the same for images of up to 64 pixels; empty if it is `head`.
    """

    arch: str
    head: str = "1"
    small_head: str = ""


def residual_like(depth: int) -> str:
    """Returns a net of the layers of the residual net of `depth` = 6 n + 2 layers, without its additions.

    What is added there stands here one behind the other: the first layer of a block reads the last layer of
    each block before it in its stage, in the first stage also the first layer, and that of a new stage reads
    all that the stage before gave. The shortcut around the first block of a new stage has no likeness, nor
    has the sum before the classifier, which reads what no layer reads: the last one.
    """
    layers: list[Layer] = [Layer((0,), 3, 3, 16)]
    ends = [1]
    for stage, filters in enumerate((16, 32, 64)):
        for block in range((depth - 2) // 6):
            strides = 2 if stage and not block else 1
            layers.append(Layer(tuple(ends), 3, 3, filters, strides, strides))
            layers.append(Layer((len(layers),), 3, 3, filters))
            ends = [len(layers)] if stage and not block else [*ends, len(layers)]
    return written(layers)


_VGG_16 = "-max2-".join(
    "-".join(f"3x3x{filters}" for filters in stage)
    for stage in ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
)

PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        # LeCun et al., "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 1998.
        "lenet-5": Published("5x5x6-max2-5x5x16-max2-5x5x120", "1+84"),
        # Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014: one column.
        "alexnet": Published("11x11x64/4-max3-5x5x192-max3-3x3x384-3x3x256-3x3x256-max3", "6+4096+4096", "1"),
        # Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015, configuration D.
        "vgg-16": Published(f"{_VGG_16}-max2", "7+4096+4096", "1"),
        # Zoph and Le, ICLR 2017, the net of version 1, which its appendix shows as a picture.
        "nas-rl-v1": Published(
            "3x3x36-3x3x48-3x3x36~1+2-5x5x36~1+2+3-3x7x48~3+4-7x7x48~2+3+4+5-7x7x48~2+3+4+5+6-7x3x36~1+6+7-"
            "7x1x36~1+5+6+8-7x7x36~1+3+4+5+6+7+8+9-5x7x36~1+2+5+6+7+8+9+10-7x7x48~1+2+3+4+6+11-"
            "7x5x48~1+3+6+7+8+9+10+11+12-7x5x48~3+7+12+13-7x5x48~6+7+11+12+13+14"
        ),
        # Layers of He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
        "resnet-20-like": Published(residual_like(20)),
    }
)
"""Nets by name. `docs/spaces.md` says what of each is not expressed.

The picture of `nas-rl-v1` was read by others; the two readings that we know of agree in all connections but
one (whether the last layer reads the sixth or the second) and in the filters of all layers but the twelfth,
if one is taken to exchange height and width. This is the reading that has the 4.2 million parameters of the
paper.
"""


class LayerwiseNets(NamedArchs):
    """Nets of papers, each built of layers as in the space `layerwise`; an arch is a name of `PUBLISHED`.

    AlexNet and VGG-16 have one linear layer as the classifier for images of up to 64 pixels, and that of the
    papers for larger ones.

    Source: `PUBLISHED`.
    Differs: every convolution has BN and no bias, and keeps the size of its maps where it has no stride.

    Args:
        stem: `small` or `strided`, for images above 64 pixels, as `hand-designed` calls them.
    """

    name = "layerwise-nets"
    NAMED: ClassVar[Mapping[str, Published]] = PUBLISHED
    KIND: ClassVar[str] = "layer-wise net of a paper"

    def __init__(self, stem: str = SMALL) -> None:
        self.stem = stem

    def for_image_size(self, image_size: int) -> LayerwiseNets:
        """Returns the same nets for square images of `image_size` pixels."""
        return LayerwiseNets(stem_for(image_size))

    def label(self, arch: str) -> str:
        """Returns the name and the size of a net."""
        return f"{arch}, {summary(read_layers(self._named(arch).arch))}"

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
        """Returns parameters, and multiply-adds of one image `(3, H, W)`, by formula."""
        layers, head = self._parts(arch)
        return count_cost(layers, num_classes, head, image)

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, for images of any size.

        Raises:
            UsageError: unknown name.
        """
        from nas_ray.spaces.layerwise.nets import LayerwiseNet

        layers, head = self._parts(arch)
        return LayerwiseNet(layers, num_classes, head)

    def _parts(self, arch: str) -> tuple[Layers, Head]:
        net: Published = self._named(arch)
        small = net.small_head if self.stem == SMALL else ""
        return read_layers(net.arch), Head.read(small or net.head)
