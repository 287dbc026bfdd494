"""LeNet-5, and the nets of torchvision adapted to small images."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

LENET_SIZE = 32
"""Pixels of the images that LeNet-5 was made for."""


class LeNet5(nn.Module):
    """LeNet-5 for colour images; `[B, 3, H, W] -> [B, num_classes]`.

    Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 1998.
    Differs: ReLU, max pooling, a linear output layer and full connections in C3, as is usual today; three
    input channels; images of another size are resized to its 32 pixels.

    Args:
        num_classes: outputs.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten()),
        )
        self.classifier = nn.Sequential(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        if x.shape[2:] != (LENET_SIZE, LENET_SIZE):
            x = F.interpolate(x, (LENET_SIZE, LENET_SIZE), mode="bilinear")
        logits: Tensor = self.classifier(self.features(x))
        return logits


def alexnet(num_classes: int, small: bool) -> nn.Module:
    """Returns torchvision's AlexNet, for small images with the changes that are usual on CIFAR.

    Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014.
    Differs: on small images the first convolution has padding 5, pools are 2x2, and one linear layer follows
    the convolutions.
    """
    net = _published("alexnet", num_classes=num_classes)
    if small:
        net.features[0] = nn.Conv2d(3, 64, 11, stride=4, padding=5)
        for place, module in enumerate(net.features):
            if isinstance(module, nn.MaxPool2d):
                net.features[place] = _halving()
        _classify_by_one_layer(net, 256, num_classes)
    return _unshared(net)


def vgg16_bn(num_classes: int, small: bool) -> nn.Module:
    """Returns torchvision's VGG-16 with BN, for small images with one linear layer as the classifier.

    Source: Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015, configuration D.
    """
    net = _published("vgg16_bn", num_classes=num_classes)
    if small:
        for place, module in enumerate(net.features):
            if isinstance(module, nn.MaxPool2d):
                net.features[place] = _halving()
        _classify_by_one_layer(net, 512, num_classes)
    return _unshared(net)


def googlenet(num_classes: int, small: bool) -> nn.Module:
    """Returns torchvision's GoogLeNet without auxiliary classifiers; small images skip its first halvings.

    Source: Szegedy et al., "Going Deeper with Convolutions", CVPR 2015; torchvision's has BN.
    """
    net = _published("googlenet", num_classes=num_classes, aux_logits=False, init_weights=False)
    if small:
        net.conv1.conv = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        net.maxpool1, net.maxpool2 = nn.Identity(), nn.Identity()
    for module in list(net.modules()):
        for name, child in module.named_children():
            if type(child).__name__ == "BasicConv2d":
                setattr(module, name, ConvBnReLU(child.conv, child.bn))
    return _unshared(net)


class ConvBnReLU(nn.Sequential):
    """GoogLeNet's convolution, with its ReLU as a module, which proxies of ReLU patterns look for."""

    def __init__(self, conv: nn.Module, bn: nn.Module) -> None:
        super().__init__()
        self.conv, self.bn, self.relu = conv, bn, nn.ReLU()


def resnet(depth: int, num_classes: int, small: bool) -> nn.Module:
    """Returns torchvision's ResNet-18 or 50; small images get a 3x3 stem that keeps their size.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """
    net = _published(f"resnet{depth}", num_classes=num_classes)
    if small:
        net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        net.maxpool = nn.Identity()
    return _unshared(net)


def _published(name: str, **options: Any) -> Any:
    """Returns torchvision's net `name`, untrained."""
    from torchvision import models  # heavy, and most spaces do without

    return getattr(models, name)(weights=None, **options)


def _halving() -> nn.MaxPool2d:
    return nn.MaxPool2d(2, ceil_mode=True)  # so that a single pixel stays one


def _classify_by_one_layer(net: nn.Module, channels: int, num_classes: int) -> None:
    net.avgpool = nn.AdaptiveAvgPool2d(1)
    net.classifier = nn.Linear(channels, num_classes)


def _unshared(net: nn.Module) -> nn.Module:
    """Returns `net` with ReLUs that change nothing in place, as proxies that look at their inputs need."""
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return net
