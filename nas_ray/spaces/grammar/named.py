"""Well-known kinds of nets as sentences, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from nas_ray.spaces.by_name import NamedArchs
from nas_ray.spaces.grammar.costs import cost_of
from nas_ray.spaces.grammar.reading import read
from nas_ray.spaces.grammar.summary import summary

if TYPE_CHECKING:
    from torch import nn

_LATER = "conv1:{0}/2-bn+conv3:{0}/2-bn-relu-conv3:{0}-bn"


def _basic(width: int, blocks: int, first: bool) -> str:
    """Returns a stage of residual blocks of two convolutions, the first of which halves the map, or not."""
    block = f"(id+conv3:{width}-bn-relu-conv3:{width}-bn)-relu"
    halves = "" if first else f"({_LATER.format(width)})-relu-"
    times = blocks - (not first)
    return halves + (f"[{block}]*{times}" if times > 1 else block)


def _transformer(width: int, heads: int, blocks: int, patch: int) -> str:
    mlp = f"(id+ln-lin:{4 * width}-gelu-lin:{width})"
    return f"patch{patch}:{width}-tokens(pos-[(id+ln-attn:{heads})-{mlp}]*{blocks}-ln)"


def _mixer(width: int, blocks: int, patch: int) -> str:
    mlp = f"(id+ln-lin:{4 * width}-gelu-lin:{width})"
    return f"patch{patch}:{width}-tokens([(id+ln-mix:{width // 2})-{mlp}]*{blocks}-ln)"


def _convnext(widths: tuple[int, ...], blocks: tuple[int, ...], patch: int) -> str:
    stages = [
        f"[(id+dw7-ln-lin:{4 * width}-gelu-lin:{width})]*{times}"
        for width, times in zip(widths, blocks, strict=True)
    ]
    later = "".join(f"-ln-patch2:{w}-{stage}" for w, stage in zip(widths[1:], stages[1:], strict=True))
    return f"patch{patch}:{widths[0]}-ln-{stages[0]}{later}-ln"


def _inverted(width: int, wide: int) -> str:
    """Returns a block that widens, convolves depthwise and narrows again, beside a shortcut."""
    return f"(id+conv1:{wide}-bn-relu-dw3-bn-relu-conv1:{width}-bn)"


def _resnet(stem: str, widths: tuple[int, ...], blocks: int) -> str:
    stages = [_basic(width, blocks, not place) for place, width in enumerate(widths)]
    return "-".join([stem, *stages])


NETS: Mapping[str, str] = MappingProxyType(
    {
        # He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, with projections as shortcuts.
        "resnet-20": _resnet("conv3:16-bn-relu", (16, 32, 64), 3),
        "resnet-18": _resnet("conv7:64/2-bn-relu-max3/2", (64, 128, 256, 512), 2),
        # Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, and Touvron et al., ICML 2021, for
        # the sizes; the classifier reads the average of all tokens and not one of its own.
        "vit-tiny-16": _transformer(192, 3, 12, 16),
        "vit-small-4": _transformer(96, 3, 6, 4),
        # Tolstikhin et al., "MLP-Mixer", NeurIPS 2021.
        "mixer-s-16": _mixer(512, 8, 16),
        "mixer-small-4": _mixer(128, 8, 4),
        # Liu et al., "A ConvNet for the 2020s", CVPR 2022, without biases of its depthwise convolutions.
        "convnext-t": _convnext((96, 192, 384, 768), (3, 3, 9, 3), 4),
        "convnext-small-2": _convnext((48, 96, 192), (2, 2, 2), 2),
        # Sandler et al., "MobileNetV2", CVPR 2018: its blocks, with ReLU.
        "mobilenet-like": "-".join(
            [
                *("conv3:32-bn-relu-dw3-bn-relu-conv1:16-bn", "conv1:96-bn-relu-dw3/2-bn-relu-conv1:24-bn"),
                *(_inverted(24, 96), "conv1:96-bn-relu-dw3/2-bn-relu-conv1:48-bn"),
                *(_inverted(48, 192), "conv1:192-bn-relu-dw3/2-bn-relu-conv1:96-bn"),
                *(_inverted(96, 384), "conv1:320-bn-relu"),
            ]
        ),
        # Without branches, as Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015.
        "vgg-like": "-".join(
            f"[conv3:{width}-bn-relu]*2{'' if width == 256 else '-max3/2'}" for width in (64, 128, 256)
        ),
    }
)
"""Sentences by the names of what they are, or are like."""


class GrammarNets(NamedArchs):
    """Kinds of nets that people designed, as sentences of the space `grammar`; an arch is a name of `NETS`.

    Source: `NETS`.
    Differs: `docs/spaces.md` says what.

    Args:
        image_size: height and width of the images; others are averaged to it.
    """

    name = "grammar-nets"
    NAMED: ClassVar[Mapping[str, str]] = NETS
    KIND: ClassVar[str] = "net of grammar"

    def __init__(self, image_size: int = 32) -> None:
        self.size = image_size

    def for_image_size(self, image_size: int) -> GrammarNets:
        """Returns the same sentences with nets for square images of `image_size` pixels."""
        return GrammarNets(image_size)

    def label(self, arch: str) -> str:
        """Returns the name and what the net is made of."""
        return f"{arch}, {summary(read(self._named(arch)))}"

    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
        """Returns parameters, and multiply-adds of one image, by formula."""
        cost = cost_of(read(self._named(arch)), self.size, num_classes)
        return cost.params, cost.multiply_adds

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`, which runs on images of any size.

        Raises:
            UsageError: unknown name.
        """
        from nas_ray.spaces.grammar.nets import GrammarNet

        return GrammarNet(read(self._named(arch)), self.size, num_classes)
