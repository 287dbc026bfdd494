"""Classifiers of torchvision as they come from its constructors, each also with half as many channels."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn
from torchvision import models
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer

CLASSES = 5
PIXELS = 32


def halved(net: nn.Module) -> nn.Module:
    """Returns `net` with half as many channels between image and classes, as untrained as it was."""
    for parent in net.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d):
                sizes = (
                    child.in_channels if child.in_channels == 3 else child.in_channels // 2,
                    child.out_channels // 2,
                )
                groups = 1 if child.groups == 1 else child.groups // 2
                rest = {key: getattr(child, key) for key in ("kernel_size", "stride", "padding", "dilation")}
                setattr(parent, name, nn.Conv2d(*sizes, **rest, groups=groups, bias=child.bias is not None))
            elif isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.BatchNorm2d(child.num_features // 2, child.eps, child.momentum))
            elif isinstance(child, nn.Linear):
                setattr(parent, name, nn.Linear(child.in_features // 2, child.out_features))
    return net


def by_half(build: Callable[..., nn.Module], **options: object) -> Callable[[bool], nn.Module]:
    """Returns what makes the net of a constructor of torchvision, halved where that is asked for."""
    return lambda half: (
        halved(build(num_classes=CLASSES, **options)) if half else build(num_classes=CLASSES, **options)
    )


def convnext_tiny(half: bool) -> nn.Module:
    widths = [96, 192, 384, 768]
    sizes = [*(width // 2 if half else width for width in widths), None]
    blocks = zip(sizes, sizes[1:], (3, 3, 9, 3), strict=False)
    return ConvNeXt([CNBlockConfig(*block) for block in blocks], num_classes=CLASSES)


def vit_b_16(half: bool) -> nn.Module:
    width = 384 if half else 768
    return VisionTransformer(PIXELS, 16, 12, 12, width, 4 * width, num_classes=CLASSES)


def swin_t(half: bool) -> nn.Module:
    width = 48 if half else 96
    return SwinTransformer([4, 4], width, [2, 2, 6, 2], [3, 6, 12, 24], [7, 7], num_classes=CLASSES)


def mlp(half: bool) -> nn.Module:
    width = 16 if half else 32
    return nn.Sequential(
        nn.Flatten(), nn.Linear(3 * PIXELS**2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, CLASSES),
    )  # fmt: skip


NETS: dict[str, Callable[[bool], nn.Module]] = {
    "mlp": mlp,
    "shufflenet_v2_x0_5": by_half(models.shufflenet_v2_x0_5),
    "mobilenet_v2": by_half(models.mobilenet_v2, width_mult=0.5),
    "resnet18": by_half(models.resnet18),
    "densenet121": by_half(models.densenet121),
    "googlenet": by_half(models.googlenet, aux_logits=False, init_weights=False),
    "efficientnet_b0": by_half(models.efficientnet_b0),
    "convnext_tiny": convnext_tiny,
    "vit_b_16": vit_b_16,
    "swin_t": swin_t,
}
"""By name, `(half) -> net [B, 3, PIXELS, PIXELS] -> [B, CLASSES]`."""
