"""Well-known nets by name, as a space: proxies, searchers and trainings treat each as an arch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from torch import nn

from nas_ray.spaces.by_name import NamedArchs
from nas_ray.spaces.cifar_resnet import CifarResNet
from nas_ray.spaces.classic_nets import LeNet5, alexnet, googlenet, resnet, vgg16_bn
from nas_ray.spaces.stems import SMALL, stem_for

Maker = Callable[[int, bool], nn.Module]
"""`(number of classes, whether images are small)` to a net."""

NETS: dict[str, Maker] = {
    "lenet-5": lambda classes, small: LeNet5(classes),
    "alexnet": alexnet,
    "vgg-16-bn": vgg16_bn,
    "googlenet": googlenet,
    "resnet-18": lambda classes, small: resnet(18, classes, small),
    "resnet-50": lambda classes, small: resnet(50, classes, small),
    "resnet-20": lambda classes, small: CifarResNet(20, classes, small),
    "resnet-56": lambda classes, small: CifarResNet(56, classes, small),
    "resnet-110": lambda classes, small: CifarResNet(110, classes, small),
}
"""Nets by name. ResNet-18 and 50 are those for ImageNet, 20, 56 and 110 those for CIFAR."""


class HandDesigned(NamedArchs):
    """Nets that people designed; an arch is a name of `NETS`.

    Images of up to 64 pixels get the usual small-image versions: a stem that keeps the size, and one linear
    layer as the classifier. Larger ones get the published nets.

    Args:
        stem: `small` or `strided`, for images above 64 pixels.
    """

    name = "hand-designed"
    NAMED: ClassVar[Mapping[str, Maker]] = NETS
    KIND: ClassVar[str] = "hand-designed net"

    def __init__(self, stem: str = SMALL) -> None:
        self.stem = stem

    def for_image_size(self, image_size: int) -> HandDesigned:
        """Returns the same nets for square images of `image_size` pixels."""
        return HandDesigned(stem_for(image_size))

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`.

        Raises:
            UsageError: unknown name.
        """
        make: Maker = self._named(arch)
        return make(num_classes, self.stem == SMALL)
