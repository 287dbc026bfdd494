"""The operations of NASNet and PNAS, in the order ReLU, convolution, BN.

Source: Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018, section
3.1 and appendix A; its released code for separable convolutions, pools and identities, and that of Real et
al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019, the same space by the same
authors, for all others.
Differs: none known, of the kinds; edges of maps are padded alike on both sides.

No class name here contains "ReLU", for the reason that `spaces/ops.py` gives.
"""

from __future__ import annotations

from torch import nn

from nas_ray.spaces.darts_ops import depthwise_block
from nas_ray.spaces.nasnet.sets import KERNELS, POOLS, SHARES, SIDES, narrowed


def make_op(name: str, channels_in: int, channels: int, stride: int = 1) -> nn.Module:
    """Returns the operation `name`; it maps `[B, C_in, H, W] -> [B, C, ceil(H / stride), ceil(W / stride)]`.

    Args:
        name: of `sets.NASNET_OPS`.
        channels_in: C_in.
        channels: C.
        stride: 1 or 2.

    Raises:
        KeyError: unknown.
    """
    if name in KERNELS:
        return _separable(KERNELS[name], channels_in, channels, stride)
    if name in SHARES:
        return _narrow(name, channels_in, channels, stride)
    if name == "skip_connect" and stride == 1 and channels_in == channels:
        return nn.Identity()
    if name in ("skip_connect", "conv_1x1"):
        return nn.Sequential(nn.ReLU(), *_matching(channels_in, channels, stride))
    pool = _pool(name, stride)
    return pool if channels_in == channels else nn.Sequential(pool, *_matching(channels_in, channels))


def matching(channels_in: int, channels: int) -> nn.Sequential:
    """Returns a 1x1 convolution and BN without ReLU, `[B, C_in, H, W] -> [B, C, H, W]`."""
    return nn.Sequential(*_matching(channels_in, channels))


def _matching(channels_in: int, channels: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)


def _separable(kernel_size: int, channels_in: int, channels: int, stride: int) -> nn.Module:
    """Returns a separable convolution: the block twice, the first with stride and width."""
    return nn.Sequential(
        depthwise_block(channels_in, kernel_size, stride, nn.BatchNorm2d, channels_out=channels),
        depthwise_block(channels, kernel_size, 1, nn.BatchNorm2d),
    )


def _pool(name: str, stride: int) -> nn.Module:
    side = POOLS[name]
    if name.startswith("max"):
        return nn.MaxPool2d(side, stride, padding=side // 2)
    return nn.AvgPool2d(side, stride, padding=side // 2, count_include_pad=False)


def _narrow(name: str, channels_in: int, channels: int, stride: int) -> nn.Module:
    """Returns a convolution on fewer channels, between 1x1 convolutions; on all where there are too few."""
    few = narrowed(name, channels)
    if not few:
        inner = _convolution(name, channels_in, channels, stride)
        return nn.Sequential(nn.ReLU(), *inner, nn.BatchNorm2d(channels))
    return nn.Sequential(
        nn.ReLU(),
        *_matching(channels_in, few),
        nn.ReLU(),
        *_convolution(name, few, few, stride),
        nn.BatchNorm2d(few),
        nn.ReLU(),
        *_matching(few, channels),
    )


def _convolution(name: str, channels_in: int, channels: int, stride: int) -> tuple[nn.Module, ...]:
    """Returns the convolutions with all their kernel, BN and ReLU between two of them."""
    if name in SIDES:
        side, edge = SIDES[name], SIDES[name] // 2
        return (
            nn.Conv2d(channels_in, channels, (1, side), (1, stride), (0, edge), bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, (side, 1), (stride, 1), (edge, 0), bias=False),
        )
    apart = 2 if name == "dil_conv_3x3" else 1
    return (nn.Conv2d(channels_in, channels, 3, stride, apart, apart, bias=False),)
